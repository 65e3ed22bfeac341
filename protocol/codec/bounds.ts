import type { Limits } from "../limits.ts";

/** What bounds the reading of a body, whatever the wire. */
export type ReadLimits = Pick<Limits, "maxBodyBytes" | "maxBodyItems" | "maxDepth">;

/** Levels that a request or an update wraps around a value: a value of full depth can be posted in a checkpoint. */
export const ENVELOPE_DEPTH = 8;

/** What a list or an object counts among the values of a body, compared with a scalar. */
export const CONTAINER_ITEMS = 8;

/** How deep values are written: far above any `maxDepth` that makes sense, far below what the stack can take. */
export const WRITE_DEPTH = 1_000;
