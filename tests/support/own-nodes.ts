import { z } from "zod";
import {
  createEngine,
  type Execution,
  localRunner,
  type NodeContext,
  type NodeType,
  type Runner,
} from "../../compute/engine/index.ts";
import { builtinNodes } from "../../compute/nodes/index.ts";
import {
  DEFAULT_LIMITS,
  ExecuteRequest,
  type ExecuteRequestInput,
  type ExecutionUpdate,
  type Limits,
} from "../../protocol/index.ts";
import { VirtualClock } from "./clock.ts";

type Execute = (context: NodeContext) => AsyncIterable<never> | Iterable<{ value: never }>;

/** A node type as an embedder would write it, with as little as possible: one input, one value. */
export function nodeType(type: string, execute: unknown, more: Partial<NodeType> = {}): NodeType {
  return {
    type,
    description: "",
    data: z.unknown(),
    cost: "trivial",
    strongest: "effectful",
    handles: () => ({ inputs: { in: {} }, outputs: { out: "value" } }),
    effect: () => "pure",
    execute: execute as Execute,
    ...more,
  };
}

/** A container around one nested workflow. */
export function containerType(
  type: string,
  workflow: { readonly nodes: readonly object[]; readonly edges?: readonly object[] },
  execute: unknown,
  more: Partial<NodeType> = {},
): NodeType {
  const nested = { edges: [], ...workflow } as never;
  return nodeType(type, execute, { nested: () => ({ workflow: nested, inputs: "handles" }), ...more });
}

export interface Own {
  readonly types?: readonly NodeType[];
  readonly limits?: Partial<Limits>;
  readonly runner?: Runner;
  readonly clock?: VirtualClock;
  readonly onInternalError?: (error: unknown) => void;
}

/** A run with built-in and own node types, in virtual time. */
export async function begin(request: ExecuteRequestInput, own: Own = {}): Promise<Execution> {
  const engine = createEngine({
    runtime: "node",
    types: new Map([...builtinNodes, ...(own.types ?? []).map((type) => [type.type, type] as const)]),
    runner: own.runner ?? localRunner,
    clock: own.clock ?? new VirtualClock(),
    random: (bytes) => new Uint8Array(bytes).fill(7),
    limits: { ...DEFAULT_LIMITS, ...own.limits },
    ...(own.onInternalError && { onInternalError: own.onInternalError }),
  });
  return (await engine.prepare(ExecuteRequest.parse(request))).start();
}

/** All updates of such a run. */
export async function run(request: ExecuteRequestInput, own: Own = {}): Promise<ExecutionUpdate[]> {
  const updates: ExecutionUpdate[] = [];
  for await (const update of await begin(request, own)) updates.push(update);
  return updates;
}

/** What happened, in one line each: `node-started a`. */
export function lines(updates: readonly ExecutionUpdate[]): string[] {
  return updates.map((update) => ("nodeId" in update ? `${update.type} ${update.nodeId}` : update.type));
}
