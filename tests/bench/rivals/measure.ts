/** One engine, one graph, in a process of its own: prints the median µs a node, all of a run's work included. */
import process from "node:process";
import { type Graph, graphOf, type Shape } from "../graphs.ts";
import { median, microseconds } from "../measure.ts";

const BUDGET_MS = 2_000;
const MIN_RUNS = 5;
const MAX_RUNS = 200;

interface Rival {
  /** Builds the graph in the engine's own way. Each call of what it gives runs it once. */
  prepare(graph: Graph): (() => Promise<void>) | Promise<() => Promise<void>>;
}

const [engine = "", shape = "chain", size = "100"] = process.argv.slice(2);
const { prepare }: Rival = await import(`./${engine}.${engine === "nodeflow" ? "ts" : "mjs"}`);
const graph = graphOf(shape as Shape, Number(size));
const run = await prepare(graph);

/** Runs until the time is used up, but not just once or twice. */
async function sample(): Promise<number[]> {
  const taken: number[] = [];
  const end = performance.now() + BUDGET_MS;
  while (taken.length < MIN_RUNS || (performance.now() < end && taken.length < MAX_RUNS)) {
    taken.push((await microseconds(run)) / graph.ids.length);
  }
  return taken;
}

await sample(); // The first time only warms up.
globalThis.gc?.();
process.stdout.write(`\n${median(await sample())}\n`, () => process.exit());
