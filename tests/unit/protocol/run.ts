import type { ExecutionUpdate, Metrics, UpdateType } from "../../../protocol/index.ts";

type WithoutCommon<T> = T extends unknown ? Omit<T, "seq" | "timestamp"> : never;
export type Event = WithoutCommon<ExecutionUpdate>;

const metrics: Metrics = {
  durationMs: 1,
  nodes: { completed: 0, failed: 0, skipped: 0, reused: 0 },
  retries: 0,
  emissions: 0,
  bytes: 0,
  calls: 0,
};

/** Events as a stream of updates, numbered from 1. */
export function updates(...events: readonly (Event | readonly Event[])[]): ExecutionUpdate[] {
  return events
    .flat()
    .map((event, i) => ({ ...(event as Event), seq: i + 1, timestamp: 1_700_000_000_000 + i }));
}

export const began: Event = {
  type: "execution-started",
  executionId: "run-1",
  runId: "run-1",
  seed: "seed",
  protocol: 1,
  runtime: "node",
  nodes: 3,
  edges: 2,
  reused: 0,
};

export const started = (nodeId: string, attempt = 1, item?: string): Event => ({
  type: "node-started",
  nodeId,
  attempt,
  executor: { kind: "local" },
  ...(item !== undefined && { item }),
});

export const set = (nodeId: string, value: unknown, attempt = 1, handle = "out"): Event =>
  ({ type: "node-output", nodeId, attempt, handle, mode: "set", value }) as Event;

export const append = (nodeId: string, value: unknown, attempt = 1): Event =>
  ({ type: "node-output", nodeId, attempt, handle: "out", mode: "append", value }) as Event;

export const item = (nodeId: string, value: unknown, index?: number, attempt = 1): Event =>
  ({
    type: "node-output",
    nodeId,
    attempt,
    handle: "out",
    mode: "item",
    value,
    ...(index !== undefined && { index }),
  }) as Event;

export const completed = (nodeId: string, attempt = 1): Event => ({
  type: "node-completed",
  nodeId,
  attempt,
  durationMs: 1,
});

export const failed = (nodeId: string, willRetry: boolean, attempt = 1): Event => ({
  type: "node-failed",
  nodeId,
  attempt,
  error: { code: "NODE_FAILED", message: "broken", retryable: true },
  willRetry,
});

export const reset = (nodeId: string, attempt: number): Event => ({ type: "node-reset", nodeId, attempt });
export const reused = (nodeId: string): Event => ({ type: "node-reused", nodeId });
export const skipped = (nodeId: string): Event => ({
  type: "node-skipped",
  nodeId,
  reason: "branch-not-taken",
});
export const asked = (nodeId: string): Event => ({
  type: "input-requested",
  nodeId,
  request: "r",
  tool: "approve",
  args: {},
});

export const ended = (
  type: Extract<UpdateType, "execution-failed" | "execution-cancelled" | "execution-suspended">,
): Event =>
  type === "execution-failed"
    ? { type, error: { code: "NODE_FAILED", message: "broken", retryable: false }, metrics }
    : type === "execution-cancelled"
      ? { type, reason: "client", metrics }
      : { type, pending: [], metrics };

/** A node that runs once and gives one value. */
export const done = (nodeId: string, value?: unknown): Event[] => [
  started(nodeId),
  ...(value === undefined ? [] : [set(nodeId, value)]),
  completed(nodeId),
];
