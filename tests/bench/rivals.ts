/**
 * `npm run bench:rivals [-- --json] [--rounds N]`: the same graphs of no-op nodes on other engines, µs a node. Each measurement has a
 * process of its own, so that no engine pays for the garbage or the patched globals of another.
 */
import { execFileSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { median } from "./measure.ts";
import { machine, table } from "./report.ts";

const ENGINES = ["nodeflow", "flowcraft", "rete-engine", "mastra", "rivet", "langgraph"];
const GRAPHS = [
  { shape: "chain", size: 100 },
  { shape: "chain", size: 1_000 },
  { shape: "fan", size: 100 },
  { shape: "fan", size: 1_000 },
] as const;
/** An engine that takes longer than this for one measurement is left out of it. */
const PATIENCE_MS = 120_000;

const child = fileURLToPath(new URL("./rivals/measure.ts", import.meta.url));

/** µs a node, or NaN where the engine gave up. */
function measure(engine: string, shape: string, size: number): number {
  try {
    const args = ["--expose-gc", "--stack-size=4000", child, engine, shape, String(size)];
    const stdio = ["ignore", "pipe", "ignore"] as const;
    const output = execFileSync(process.execPath, args, {
      encoding: "utf8",
      stdio: [...stdio],
      timeout: PATIENCE_MS,
    });
    return Number(output.trim().split("\n").at(-1));
  } catch {
    return Number.NaN; // The table shows that it has no figure.
  }
}

const { values } = parseArgs({
  options: { json: { type: "boolean" }, rounds: { type: "string", default: "3" } },
});
/** Every engine gets its turn so many times. */
const rounds = Number(values.rounds);
const results = GRAPHS.map((graph) => {
  const samples = new Map(ENGINES.map((engine) => [engine, [] as number[]]));
  for (let round = 0; round < rounds; round += 1) {
    for (const engine of ENGINES) {
      process.stderr.write(`${graph.shape} of ${graph.size}: ${engine} …\n`);
      samples.get(engine)?.push(measure(engine, graph.shape, graph.size));
    }
  }
  const medians = Object.fromEntries([...samples].map(([engine, taken]) => [engine, median(taken)]));
  return { ...graph, unit: "µs/node", medians };
});

if (values.json) console.log(JSON.stringify({ machine: machine(), results }, null, 2));
else {
  const { cpu, cores, memoryGiB, node } = machine();
  const rows = results.map(({ shape, size, medians }) => [
    `${shape} of ${size}`,
    ...ENGINES.map((engine) => (Number.isNaN(medians[engine]) ? "–" : (medians[engine]?.toFixed(1) ?? ""))),
  ]);
  console.log(`µs a node on ${cpu}, ${cores} cores, ${memoryGiB} GiB, Node ${node}\n`);
  console.log(table([["", ...ENGINES], ...rows]));
}
