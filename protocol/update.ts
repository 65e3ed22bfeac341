import { z } from "zod";
import { ErrorInfo } from "./error.ts";
import type { Value } from "./value.ts";

const count = z.number().int().min(0);
const positive = z.number().int().min(1);
const value = z.custom<Value>((v) => v !== undefined);

/** Where an attempt runs. */
export const Executor = z.object({
  kind: z.enum(["local", "pool", "peer", "server"]),
  id: z.string().optional(),
});
export type Executor = z.infer<typeof Executor>;

export const Metrics = z.object({
  durationMs: z.number(),
  nodes: z.object({ completed: count, failed: count, skipped: count, reused: count }),
  retries: count,
  emissions: count,
  /** Length of text and bytes, 8 for every other scalar. */
  bytes: count,
  /** Outgoing calls. */
  calls: count,
});
export type Metrics = z.infer<typeof Metrics>;

export const SkipReason = z.enum(["branch-not-taken", "upstream-failed", "upstream-skipped", "not-selected"]);
export type SkipReason = z.infer<typeof SkipReason>;

const common = {
  /** 1, 2, 3 … without gaps, in the order of sending. */
  seq: positive,
  /** Milliseconds since the epoch. */
  timestamp: z.number(),
};
const of = <T extends string, S extends z.ZodRawShape>(type: T, shape: S) =>
  z.object({ type: z.literal(type), ...common, ...shape });

export const ExecutionUpdate = z.discriminatedUnion("type", [
  of("execution-started", {
    executionId: z.string(),
    /** The first executionId of a resumed run. */
    runId: z.string(),
    seed: z.string(),
    protocol: z.literal(1),
    runtime: z.enum(["node", "workers", "browser"]),
    nodes: count,
    edges: count,
    reused: count,
    workflowId: z.string().optional(),
    traceId: z.string().optional(),
  }),
  of("node-started", {
    nodeId: z.string(),
    attempt: positive,
    executor: Executor,
    effectful: z.literal(true).optional(),
    /** On scopes of a container only: the hash of what the scope was given. */
    item: z.string().optional(),
  }),
  of("node-output", {
    nodeId: z.string(),
    attempt: positive,
    handle: z.string(),
    mode: z.enum(["set", "append", "item"]),
    value,
    /** The item's place in the fold, where items are emitted out of order. */
    index: count.optional(),
  }),
  of("node-progress", {
    nodeId: z.string(),
    completed: z.number(),
    total: z.number().optional(),
    message: z.string().optional(),
  }),
  of("node-log", {
    nodeId: z.string(),
    level: z.enum(["debug", "info", "warn", "error"]),
    message: z.string(),
  }),
  of("node-completed", {
    nodeId: z.string(),
    attempt: positive,
    durationMs: z.number(),
    withheld: z.literal(true).optional(),
  }),
  of("node-failed", {
    nodeId: z.string(),
    attempt: positive,
    error: ErrorInfo,
    willRetry: z.boolean(),
    delayMs: z.number().optional(),
    handled: z.enum(["skip", "default", "route"]).optional(),
  }),
  of("node-reset", {
    nodeId: z.string(),
    /** The next attempt. Everything of this path and under it is to be forgotten. */
    attempt: positive,
  }),
  of("node-skipped", { nodeId: z.string(), reason: SkipReason }),
  of("node-reused", { nodeId: z.string() }),
  of("input-requested", {
    nodeId: z.string(),
    /** Hash of path, tool and args. */
    request: z.string(),
    tool: z.string(),
    args: value,
    schema: value.optional(),
    /** Why the last answer was not accepted. */
    rejected: z.string().optional(),
  }),
  of("execution-completed", { outputs: z.record(z.string(), value), metrics: Metrics }),
  of("execution-failed", { error: ErrorInfo, metrics: Metrics }),
  of("execution-cancelled", {
    reason: z.enum(["client", "disconnect", "shutdown"]),
    metrics: Metrics,
  }),
  of("execution-suspended", { pending: z.array(z.string()), metrics: Metrics }),
]);
export type ExecutionUpdate = z.infer<typeof ExecutionUpdate>;
export type UpdateType = ExecutionUpdate["type"];
export type UpdateOf<T extends UpdateType> = Extract<ExecutionUpdate, { type: T }>;
export type CancelReason = UpdateOf<"execution-cancelled">["reason"];

const TERMINAL = new Set<string>([
  "execution-completed",
  "execution-failed",
  "execution-cancelled",
  "execution-suspended",
]);

export type TerminalUpdate = UpdateOf<
  "execution-completed" | "execution-failed" | "execution-cancelled" | "execution-suspended"
>;

/** True for the one update that ends a run. */
export function isTerminal(update: { readonly type: string }): update is TerminalUpdate {
  return TERMINAL.has(update.type);
}
