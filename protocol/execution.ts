import { z } from "zod";
import { Checkpoint } from "./checkpoint.ts";
import { ErrorInfo } from "./error.ts";
import { ExecutionUpdate, Metrics } from "./update.ts";
import type { Value } from "./value.ts";
import { Workflow } from "./workflow.ts";

const value = z.custom<Value>((v) => v !== undefined);
const ids = z.array(z.string());

export const ExecuteOptions = z.object({
  /** Whose `node-output` is sent. A top-level id stands for the node and all inside it. */
  outputs: z.union([z.enum(["all", "leaves", "none"]), ids]).default("all"),
  timeoutMs: z.number().int().min(1).optional(),
  /** Nodes that compute at once. */
  concurrency: z.number().int().min(1).optional(),
  /** Run only these and what they depend on. */
  until: ids.optional(),
  /** Run these and what depends on them again, whatever the checkpoint has. */
  from: ids.optional(),
  seed: z.string().max(256).optional(),
});
export type ExecuteOptions = z.infer<typeof ExecuteOptions>;

/** An answer to an `input-requested`; without `request` it answers whatever the node asks. */
export const Answer = z.union([
  z.object({ request: z.string().optional(), value }),
  z.object({
    request: z.string().optional(),
    error: z.object({ code: z.string(), message: z.string() }),
  }),
]);
export type Answer = z.infer<typeof Answer>;

/** The body of `POST /execute` and `POST /validate`, and the request of the engine in process. */
export const ExecuteRequest = z.object({
  workflow: Workflow,
  inputs: z.record(z.string(), value).optional(),
  options: ExecuteOptions.optional(),
  checkpoint: Checkpoint.optional(),
  /** By path. */
  answers: z.record(z.string(), Answer).optional(),
});
export type ExecuteRequest = z.infer<typeof ExecuteRequest>;
/** What callers may write: defaults left out. */
export type ExecuteRequestInput = z.input<typeof ExecuteRequest>;

/** The answer of `POST /execute` to `accept: application/json`. */
export const ExecutionResult = z.object({
  executionId: z.string(),
  status: z.enum(["completed", "failed", "cancelled", "suspended"]),
  outputs: z.record(z.string(), value),
  error: ErrorInfo.optional(),
  /** The open `input-requested` updates. */
  requests: z.array(ExecutionUpdate).optional(),
  /** There unless completed. */
  checkpoint: Checkpoint.optional(),
  metrics: Metrics,
});
export type ExecutionResult = z.infer<typeof ExecutionResult>;
