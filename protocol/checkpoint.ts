import { z } from "zod";
import type { Value } from "./value.ts";

const value = z.custom<Value>((v) => v !== undefined);

/**
 * What is known of one path: a completed node with its outputs, a container begun and not completed, or a scope of one.
 * A completed scope has `item` and `result` (absent where the nested output was skipped).
 */
export const CheckpointEntry = z.union([
  z.object({
    status: z.literal("completed"),
    outputs: z.record(z.string(), value).nullable(),
    fingerprint: z.string().max(64).optional(),
  }),
  z.object({
    status: z.literal("completed"),
    item: z.string().max(64),
    result: value.optional(),
  }),
  z.object({
    status: z.literal("partial"),
    item: z.string().max(64).optional(),
    fingerprint: z.string().max(64).optional(),
  }),
]);
export type CheckpointEntry = z.infer<typeof CheckpointEntry>;

/** The state of a run, as any executor can take it up. Entries are claims of whoever posts them. */
export const Checkpoint = z.object({
  protocol: z.literal(1),
  /** The first executionId of the run. */
  runId: z.string().min(1).max(256),
  seed: z.string().max(256),
  nodes: z.record(z.string(), CheckpointEntry),
});
export type Checkpoint = z.infer<typeof Checkpoint>;
