import { NodeflowError } from "../error.ts";
import { ExecutionResult } from "../execution.ts";
import { parseCheckpoint } from "../parse.ts";
import { finish } from "../steps.ts";
import type { Value } from "../value.ts";
import { markRecord } from "./mark.ts";
import { checkpointToJson } from "./request.ts";
import { unmark } from "./unmark.ts";
import { markUpdate, readUpdate } from "./update.ts";

/** The answer in one JSON object, as text. */
export function resultToJson(result: ExecutionResult): string {
  const { outputs, requests, checkpoint, ...rest } = result;
  const head = JSON.stringify({
    ...rest,
    outputs: markRecord(outputs, "json"),
    ...(requests !== undefined && { requests: requests.map((request) => markUpdate(request, "json")) }),
  });
  return checkpoint === undefined
    ? head
    : `${head.slice(0, -1)},"checkpoint":${checkpointToJson(checkpoint)}}`;
}

/** Reads the answer in one JSON object, once parsed, which it takes over. Throws `INVALID_REQUEST`. */
export function readResult(raw: unknown): ExecutionResult {
  if (typeof raw !== "object" || raw === null)
    throw new NodeflowError("INVALID_REQUEST", "A result is not an object");
  const { checkpoint, requests, outputs, ...rest } = raw as Record<string, unknown>;
  const parsed = ExecutionResult.omit({ checkpoint: true, requests: true, outputs: true }).safeParse(rest);
  if (!parsed.success)
    throw new NodeflowError("INVALID_REQUEST", "A result is malformed", { cause: parsed.error });
  const read: ExecutionResult = { ...parsed.data, outputs: Object.create(null) };
  for (const [name, value] of Object.entries(outputs ?? {})) {
    if (name !== "__proto__")
      read.outputs[name] = unmark(value, { wire: "json", pointer: `/outputs/${name}` }) as Value;
  }
  if (Array.isArray(requests)) {
    read.requests = requests
      .map((request) => readUpdate(request, "json"))
      .filter((request) => request !== null);
  }
  if (checkpoint !== undefined) read.checkpoint = finish(parseCheckpoint(checkpoint));
  return read;
}
