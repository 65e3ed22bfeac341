import { z } from "zod";
import {
  createEngine,
  defineNode,
  type Engine,
  localRunner,
  type NodeTypes,
} from "../../compute/engine/index.ts";
import { webClock, webRandom } from "../../compute/hosts/web.ts";
import { DEFAULT_LIMITS, type ExecuteRequest, type Workflow } from "../../protocol/index.ts";

export type Shape = "chain" | "fan";

/** A graph without any engine's words. The first node is the only source, the last one the only sink. */
export interface Graph {
  readonly shape: Shape;
  readonly ids: readonly string[];
  readonly edges: readonly (readonly [source: string, target: string])[];
}

/** A chain, or a fan: one node, then all the others at once, then one that waits for them. */
export function graphOf(shape: Shape, size: number): Graph {
  const ids = Array.from({ length: size }, (_, index) => `n${index}`);
  const first = ids[0] ?? "";
  const last = ids.at(-1) ?? "";
  const edges =
    shape === "chain"
      ? ids.slice(1).map((id, index) => [ids[index] ?? "", id] as const)
      : ids.slice(1, -1).flatMap((id) => [[first, id] as const, [id, last] as const]);
  return { shape, ids, edges };
}

/** Takes whatever comes and hands on nothing worth mentioning. */
const noop = defineNode({
  type: "noop",
  description: "Does nothing",
  data: z.unknown(),
  cost: "trivial",
  strongest: "pure",
  handles: () => ({ inputs: { in: { many: true } }, outputs: { out: "value" } }),
  effect: () => "pure",
  execute: () => [{ value: 0 }],
});

const emit = defineNode({
  type: "emit",
  description: "Emits numbers",
  data: z.object({ count: z.number() }),
  cost: "trivial",
  strongest: "pure",
  handles: () => ({ inputs: {}, outputs: { out: "items" } }),
  effect: () => "pure",
  *execute({ data }) {
    for (let value = 0; value < data.count; value += 1) yield { value };
  },
});

const relay = defineNode({
  type: "relay",
  description: "Hands on each item as it comes",
  data: z.unknown(),
  cost: "trivial",
  strongest: "pure",
  handles: () => ({ inputs: { in: { required: true, live: ["items"] } }, outputs: { out: "items" } }),
  effect: () => "pure",
  async *execute({ live }) {
    for await (const value of live.in ?? []) yield { value };
  },
});

export const benchTypes: NodeTypes = new Map([noop, emit, relay].map((type) => [type.type, type]));

export function noopWorkflow({ ids, edges }: Graph): Workflow {
  return {
    nodes: ids.map((id) => ({ id, type: "noop" })),
    edges: edges.map(([source, target]) => ({ source, target })),
  };
}

/** A source of `count` items and `hops` live edges behind one another. */
export function relayWorkflow(count: number, hops: number): Workflow {
  const { ids, edges } = graphOf("chain", hops + 1);
  return {
    nodes: ids.map((id, index) =>
      index === 0 ? { id, type: "emit", data: { count } } : { id, type: "relay" },
    ),
    edges: edges.map(([source, target]) => ({ source, target })),
  };
}

export function benchEngine(): Engine {
  return createEngine({
    runtime: "node",
    types: benchTypes,
    runner: localRunner,
    clock: webClock(),
    random: webRandom,
    limits: DEFAULT_LIMITS,
  });
}

/** Prepares as many runs of a request as wanted; each call of what it returns runs one and reads all its updates. */
export async function prepareRuns(
  engine: Engine,
  request: ExecuteRequest,
  runs: number,
): Promise<() => Promise<void>> {
  const prepared = await Promise.all(Array.from({ length: runs }, () => engine.prepare(request)));
  return async () => {
    const run = prepared.pop();
    if (!run) throw new RangeError("All prepared runs have been run");
    let last = "";
    for await (const batch of run.start().batches()) last = batch.at(-1)?.type ?? "";
    if (last !== "execution-completed") throw new Error(`The run ended with ${last}`);
  };
}
