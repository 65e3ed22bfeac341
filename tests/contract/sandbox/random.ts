import type { SandboxCase } from "./case.ts";

const NUMBERS = "export default ({ n = 4 }) => Array.from({ length: n }, Math.random)";

/** `Math.random`: sfc32, seeded with the job's seed. The numbers are the contract. */
export const RANDOM_CASES: readonly SandboxCase[] = [
  {
    rule: "equal seeds give equal numbers on every host",
    source: NUMBERS,
    seed: "a seed",
    gives: [[0.73783816529366, 0.5072716873079308, 0.8249157093894499, 0.86869526374151]],
  },
  {
    rule: "another seed gives others",
    source: NUMBERS,
    seed: "another",
    gives: [[0.9062321177210302, 0.3512166857668825, 0.5562589480135794, 0.5152972835668495]],
  },
  {
    rule: "an empty seed is one as well",
    source: NUMBERS,
    seed: "",
    gives: [[0.3415626749431725, 0.11742832307878948, 0.36965987822928625, 0.2499499076817584]],
  },
  {
    rule: "so is one beyond ASCII",
    source: NUMBERS,
    seed: "é𝒳",
    gives: [[0.03351133877804979, 0.7718934086927984, 0.3277649246630314, 0.932022075248437]],
  },
  {
    rule: "numbers are even enough, from 0 up to but not 1",
    source: `
      const counts = new Array(10).fill(0);
      export default () => {
        for (let i = 0; i < 10000; i += 1) counts[Math.floor(Math.random() * 10)] += 1;
        return counts.every((count) => count > 880 && count < 1120) && counts.length === 10;
      }`,
    gives: [true],
  },
];
