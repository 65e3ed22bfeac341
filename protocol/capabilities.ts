import { z } from "zod";
import { ErrorInfo, Issue } from "./error.ts";

const count = z.number().int().min(0);
const runtime = z.enum(["node", "workers", "browser"]);
const kind = z.enum(["value", "text", "bytes", "items"]);

/** An input handle, as a host tells it. The name `*` stands for any name. */
export const InputInfo = z.object({
  required: z.boolean().optional(),
  many: z.boolean().optional(),
  live: z.array(kind).optional(),
  accepts: z.array(kind).optional(),
});
export type InputInfo = z.infer<typeof InputInfo>;

/** A node type, as a host tells it. Handles are those that a node has with its `data` left at the defaults. */
export const NodeTypeInfo = z.object({
  type: z.string(),
  description: z.string(),
  inputs: z.record(z.string(), InputInfo),
  outputs: z.record(z.string(), kind),
  /** A JSON Schema. */
  data: z.unknown(),
  /** The strongest it can have. */
  effect: z.enum(["pure", "idempotent", "effectful"]),
  cost: z.enum(["trivial", "light", "heavy"]),
});
export type NodeTypeInfo = z.infer<typeof NodeTypeInfo>;

/** The answer of `GET /capabilities`. */
export const Capabilities = z.object({
  protocol: z.literal(1),
  version: z.string(),
  runtime,
  maxNodes: count,
  maxEdges: count,
  maxBodyBytes: count,
  maxExecutionMs: count,
  /** All caps by name, and, as text, what the host can't promise. */
  limits: z.record(z.string(), z.union([z.number(), z.string()])),
  supportedNodeTypes: z.array(z.string()),
  nodeTypes: z.array(NodeTypeInfo),
  features: z.array(z.string()),
  /** Milliseconds from a request to its first update. */
  estimatedLatency: z.number(),
});
export type Capabilities = z.infer<typeof Capabilities>;

/** The answer of `GET /health`. */
export const Health = z.object({
  status: z.enum(["ok", "draining"]),
  version: z.string(),
  runtime,
  uptimeMs: z.number(),
  executions: z.object({ active: count, capacity: count }),
});
export type Health = z.infer<typeof Health>;

/** The body of every answer that is an error. */
export const ErrorAnswer = z.object({
  error: ErrorInfo.extend({ executionId: z.string().optional(), traceId: z.string().optional() }),
});
export type ErrorAnswer = z.infer<typeof ErrorAnswer>;

/** The answer of `POST /validate`. */
export const ValidateAnswer = z.object({
  valid: z.boolean(),
  issues: z.array(Issue),
  /** What is worth knowing and not wrong. */
  notes: z.array(z.string()),
});
export type ValidateAnswer = z.infer<typeof ValidateAnswer>;
