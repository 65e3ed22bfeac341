import { z } from "zod";
import {
  type Emission,
  NearEnd,
  type NodeContext,
  type NodeType,
  serveAttempt,
  type Task,
  type ToFar,
  type ToNear,
} from "../../compute/engine/index.ts";
import { webClock } from "../../compute/hosts/web.ts";
import { NodeflowError, type Value } from "../../protocol/index.ts";
import { pipe } from "./pipe.ts";

/** How long an attempt that was told to stop has. */
export const GRACE_MS = 30;
const clock = webClock();

type Body = (context: NodeContext) => AsyncIterable<Emission> | Iterable<Emission>;

/** An attempt whose node computes at the far end of a pipe. */
export function remote(body: Body, more: Partial<NodeContext> = {}, type: Partial<NodeType> = {}) {
  const node: NodeType = {
    type: "it",
    description: "",
    data: z.unknown(),
    cost: "heavy",
    strongest: "pure",
    effect: () => "pure",
    handles: () => ({ inputs: {}, outputs: { out: "items" } }),
    execute: body,
    ...type,
  };
  const abort = new AbortController();
  const refused = () => Promise.reject(new NodeflowError("INTERNAL", "not in this test"));
  const context: NodeContext = {
    data: {},
    path: "n",
    attempt: 1,
    inputs: {},
    live: {},
    signal: abort.signal,
    seed: "seed",
    idempotencyKey: "key",
    executionId: "run",
    caller: "",
    runtime: "node",
    traceparent: undefined,
    progress() {},
    log() {},
    sleep: refused,
    turn: refused,
    waitFor: refused,
    connection: refused,
    secret: () => "",
    ask: refused,
    run: () => {
      throw new TypeError("no container");
    },
    ...more,
  };
  const { a, b, closed, sent, cut } = pipe<ToFar, ToNear>();
  serveAttempt(b, new Map([[node.type, node]]), clock);
  const task: Task = { node, placeable: true, placement: "any", cost: "heavy", context };
  return { near: new NearEnd(task, a, clock, GRACE_MS), closed, sent, cut, abort };
}

/** All that it emits. */
export async function all(near: NearEnd): Promise<Value[]> {
  const values: Value[] = [];
  for await (const { value } of near) values.push(value);
  return values;
}
