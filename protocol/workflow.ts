import { z } from "zod";
import type { Value } from "./value.ts";

const duration = z.number().finite().min(0).max(2_147_483_647);

/** Further attempts after a retryable failure. Off unless asked for. Times are milliseconds. */
export const Retry = z.strictObject({
  /** Attempts in all, the first one counted. */
  maxAttempts: z.number().int().min(1).max(20),
  /** Wait before the second attempt. */
  delayMs: duration.default(0),
  /** Each further wait is the last one times this. */
  factor: z.number().min(1).max(100).default(2),
  maxDelayMs: duration.default(60_000),
  /** Share of each wait that is random, 0 to 1: concurrent retries spread out. */
  jitter: z.number().min(0).max(1).default(0),
});
export type Retry = z.infer<typeof Retry>;

/** How a node is run. Both timeouts count only time spent waiting for the node itself. */
export const Policy = z.strictObject({
  timeoutMs: duration.min(1).optional(),
  /** Restarts at each emission. */
  idleTimeoutMs: duration.min(1).optional(),
  retry: Retry.optional(),
  onError: z.enum(["fail", "skip", "default", "route"]).default("fail"),
  /** What `out` becomes with `onError: "default"`. */
  default: z.custom<Value>().optional(),
  placement: z.enum(["any", "local", "server"]).default("any"),
});
export type Policy = z.infer<typeof Policy>;

/**
 * One node as posted. Only the outer shape is checked here; ids, types, `data` and `policy` are checked with the graph,
 * so that every issue of a workflow is reported at once.
 */
export const WorkflowNode = z.object({
  id: z.string(),
  type: z.string().nullish(),
  data: z.unknown().optional(),
  policy: z.unknown().optional(),
});
export type WorkflowNode = z.infer<typeof WorkflowNode>;

/** One edge as posted. `sourceHandle` and `targetHandle` default to `out` and `in`; null means the default. */
export const WorkflowEdge = z.object({
  id: z.string().nullish(),
  source: z.string(),
  target: z.string(),
  sourceHandle: z.string().nullish(),
  targetHandle: z.string().nullish(),
});
export type WorkflowEdge = z.infer<typeof WorkflowEdge>;

/** A workflow, in the shape of React Flow's `toObject()`. Keys that execution doesn't need are ignored. */
export const Workflow = z.object({
  id: z.string().nullish(),
  name: z.string().nullish(),
  nodes: z.array(WorkflowNode),
  edges: z.array(WorkflowEdge).default([]),
});
export type Workflow = z.infer<typeof Workflow>;

export const DEFAULT_SOURCE_HANDLE = "out";
export const DEFAULT_TARGET_HANDLE = "in";

const RESERVED = new Set(["__proto__", "constructor", "prototype"]);
const FORBIDDEN = /[/\p{Cc}]/u;

/** Why `name` can't be an id or a handle name, or null if it can. */
export function invalidName(name: string): string | null {
  if (name.length === 0) return "is empty";
  if (name.length > 256) return "is longer than 256 characters";
  if (RESERVED.has(name)) return "is a reserved word";
  if (FORBIDDEN.test(name)) return "contains '/' or a control character";
  return null;
}

/** True for nodes that draw something but compute nothing: groups, and nodes without type that no edge touches. */
export function isDecoration(node: WorkflowNode, touched: ReadonlySet<string>): boolean {
  return node.type === "group" || (node.type == null && !touched.has(node.id));
}
