import type { ExecuteOptions } from "../../protocol/index.ts";
import { bareGraph, bareRelay, bareRun } from "./floor.ts";
import { benchEngine, graphOf, noopWorkflow, prepareRuns, relayWorkflow, type Shape } from "./graphs.ts";
import { inTurns, microseconds } from "./measure.ts";
import type { Figure } from "./report.ts";

const SIZES = [100, 1_000, 10_000, 100_000];
/** Nodes per sample, so that small graphs are measured over many runs. */
const NODES_A_SAMPLE = 20_000;

/** No-op nodes, µs a node, all updates read. */
async function noops(shape: Shape, size: number): Promise<Figure[]> {
  const engine = benchEngine();
  const graph = graphOf(shape, size);
  const request = { workflow: noopWorkflow(graph) };
  const copy = bareGraph(graph);
  const runs = Math.max(1, Math.round(NODES_A_SAMPLE / size));
  const each = (total: number) => total / (runs * size);
  const times = async (work: () => Promise<unknown>) => {
    for (let run = 0; run < runs; run += 1) await work();
  };

  const medians = await inTurns(
    {
      run: async () => {
        const run = await prepareRuns(engine, request, runs);
        return each(await microseconds(() => times(run)));
      },
      whole: async () =>
        each(await microseconds(() => times(async () => (await prepareRuns(engine, request, 1))()))),
      floor: async () => {
        const copies = Array.from({ length: runs }, copy);
        const run = async () => {
          for await (const batch of bareRun(graph.ids, copies.pop() ?? [])) batch.at(-1);
        };
        return each(await microseconds(() => times(run)));
      },
    },
    size > 10_000 ? 7 : 15,
  );
  const control = { name: "bare ready queue making the same updates", value: medians.floor };
  const name = `${shape} of ${size.toLocaleString("en")} no-op nodes`;
  const target = { of: "value", most: size > 10_000 ? 6 : 3 } as const;
  return [
    { name: `${name}, run`, unit: "µs/node", value: medians.run, control, target },
    { name: `${name}, prepare and run`, unit: "µs/node", value: medians.whole, control },
  ];
}

const ITEMS = 10_000;
const HOPS = 10;

/** Live edges, µs an emission and hop. */
export async function benchLiveEdges(): Promise<Figure[]> {
  const engine = benchEngine();
  const workflow = relayWorkflow(ITEMS, HOPS);
  const each = (total: number) => total / (ITEMS * HOPS);
  const relayed = (outputs: ExecuteOptions["outputs"]) => async () => {
    const run = await prepareRuns(engine, { workflow, options: { outputs } }, 1);
    return each(await microseconds(run));
  };
  const medians = await inTurns(
    {
      silent: relayed("none"),
      told: relayed("all"),
      floor: async () => each(await microseconds(() => bareRelay(ITEMS, HOPS))),
    },
    11,
  );
  const control = { name: "bare async generators", value: medians.floor };
  const name = `live edge, ${HOPS} hops`;
  const target = { of: "value", most: 1 } as const;
  return [
    { name: `${name}, outputs not sent`, unit: "µs/hop", value: medians.silent, control, target },
    { name: `${name}, every output an update`, unit: "µs/hop", value: medians.told, control },
  ];
}

export async function benchEngineNoops(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const shape of ["chain", "fan"] as const) {
    for (const size of SIZES) figures.push(...(await noops(shape, size)));
  }
  return figures;
}
