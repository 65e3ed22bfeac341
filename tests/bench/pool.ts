import type { NodeTypes } from "../../compute/engine/index.ts";
import { execute } from "../../compute/hosts/local.ts";
import { type PoolRunner, poolRunner } from "../../compute/hosts/node-pool.ts";
import type { Workflow } from "../../protocol/index.ts";
import { nodeTypes } from "../support/heavy-nodes.ts";
import { inTurns, microseconds } from "./measure.ts";
import type { Figure } from "./report.ts";

const MODULE = new URL("../support/heavy-nodes.ts", import.meta.url);
const pooled: NodeTypes = new Map(nodeTypes.map((type) => [type.type, type]));
/** The same types, as if they cost nothing. */
const local: NodeTypes = new Map(nodeTypes.map((type) => [type.type, { ...type, cost: "light" }]));

const ITEMS = 8;
const ITEM_MS = 100;
const ATTEMPTS = 200;
const EMISSIONS = 20_000;

const copies = (count: number, type: string, data: object): Workflow => ({
  nodes: Array.from({ length: count }, (_, n) => ({ id: `n${n}`, type, data })),
  edges: [],
});

async function run(workflow: Workflow, types: NodeTypes, runner?: PoolRunner): Promise<void> {
  let last = "";
  const execution = execute({ workflow }, { types, ...(runner && { runner }) });
  for await (const batch of execution.batches()) last = batch.at(-1)?.type ?? last;
  if (last !== "execution-completed") throw new Error(`the run ended with ${last}`);
}

/** So many loops of the node `work` take the wanted time in a process of its own. */
async function loopsFor(ms: number, runner: PoolRunner): Promise<number> {
  await run(copies(1, "where", {}), pooled, runner);
  let loops = 1_000_000;
  for (;;) {
    const took = (await microseconds(() => run(copies(1, "work", { loops }), pooled, runner))) / 1_000;
    if (took >= ms) return Math.round((loops * ms) / took);
    loops *= 2;
  }
}

/** Heavy items on two cores and on one, and what it costs to go to another process at all. */
export async function benchPool(): Promise<Figure[]> {
  await using two = poolRunner({ types: MODULE, processes: 2 });
  await using one = poolRunner({ types: MODULE, processes: 1 });
  const items = copies(ITEMS, "work", { loops: await loopsFor(ITEM_MS, one) });
  const attempts = copies(ATTEMPTS, "where", {});
  const emissions = copies(1, "emit", { count: EMISSIONS });
  const each = async (count: number, ...args: Parameters<typeof run>) =>
    (await microseconds(() => run(...args))) / count;

  const spread = await inTurns(
    {
      two: () => each(ITEMS, items, pooled, two),
      one: () => each(ITEMS, items, pooled, one),
    },
    5,
  );
  const way = await inTurns(
    {
      attempt: () => each(ATTEMPTS, attempts, pooled, one),
      attemptHere: () => each(ATTEMPTS, attempts, local),
      emission: () => each(EMISSIONS, emissions, pooled, one),
      emissionHere: () => each(EMISSIONS, emissions, local),
    },
    5,
  );
  const perSecond = (us: number) => 1_000_000 / us;
  return [
    {
      name: `${ITEMS} heavy nodes of ${ITEM_MS} ms, two processes`,
      unit: "nodes/s",
      value: perSecond(spread.two),
      control: { name: "one process", value: perSecond(spread.one) },
      target: { of: "ratio", least: 1.7 },
    },
    {
      name: "an attempt in another process",
      unit: "µs",
      value: way.attempt,
      control: { name: "in this thread", value: way.attemptHere },
    },
    {
      name: "an emission from another process",
      unit: "µs",
      value: way.emission,
      control: { name: "in this thread", value: way.emissionHere },
    },
  ];
}
