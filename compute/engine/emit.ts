import { type Kind, measure, modeOf, NodeflowError, type Value } from "../../protocol/index.ts";
import type { Emission } from "./node-type.ts";
import type { Output } from "./output.ts";
import type { AttemptPart } from "./parts.ts";
import { bytesPieces, isHighSurrogate, textPieces } from "./pieces.ts";
import { checkUpdateSize, pieceSize } from "./update-size.ts";

/**
 * Takes one emission of a node: checks it, adds it to the output of its handle, and reports it. Errors are the node's.
 * Returns the output that was added to.
 */
export function emit(attempt: AttemptPart, raw: Emission): Output {
  const { node } = attempt;
  const { run } = node.scope;
  const { type, data } = node.plan;
  const emission = type.sanitize ? type.sanitize(raw, data) : raw;
  const output = node.output(emission.handle);
  const { kind, handle } = output.plan;
  const { value, index } = emission;
  const { limits, tally } = run;
  let size = measure(value, limits.maxDepth, limits.maxValueBytes, handle, tally);
  checkKind(value, kind, handle);
  if (index !== undefined || output.placed) checkIndex(output, index);

  const { redaction } = attempt;
  if (kind === "text") {
    const text = value as string;
    pushText(attempt, output, redaction ? redaction.textPiece(handle, text) : text);
  } else if (kind === "bytes") {
    const bytes = value as Uint8Array;
    pushBytes(attempt, output, redaction ? redaction.bytesPiece(handle, bytes) : bytes);
  } else {
    const told = redaction ? redaction.value(value) : value;
    if (told !== value) size = measure(told, limits.maxDepth, limits.maxValueBytes, handle, tally);
    const { weight } = tally;
    checkUpdateSize(told, weight, handle, limits.maxUpdateBytes);
    push(attempt, output, told, size, weight, index);
  }
  return output;
}

/** The last of what an attempt has emitted: what could have been the beginning of a secret, or is half a character. */
export function flush(attempt: AttemptPart): void {
  for (const { handle, value } of attempt.redaction?.end() ?? []) {
    const output = attempt.node.output(handle);
    if (typeof value === "string") pushText(attempt, output, value);
    else pushBytes(attempt, output, value);
  }
  for (const [handle, half] of attempt.halves ?? []) push(attempt, attempt.node.output(handle), half, 1, 1);
  attempt.halves = null;
}

function pushText(attempt: AttemptPart, output: Output, chunk: string): void {
  const { handle } = output.plan;
  let text = chunk;
  const half = attempt.halves?.get(handle);
  if (half !== undefined) {
    text = half + text;
    attempt.halves?.delete(handle);
  }
  if (text.length > 0 && isHighSurrogate(text.charCodeAt(text.length - 1))) {
    attempt.halves ??= new Map();
    attempt.halves.set(handle, text.slice(-1));
    text = text.slice(0, -1);
  }
  for (const piece of textPieces(text, pieceSize(attempt.node.scope.run.limits.maxUpdateBytes))) {
    push(attempt, output, piece, piece.length, piece.length);
  }
}

function pushBytes(attempt: AttemptPart, output: Output, bytes: Uint8Array): void {
  for (const piece of bytesPieces(bytes, pieceSize(attempt.node.scope.run.limits.maxUpdateBytes))) {
    push(attempt, output, piece, piece.length, piece.length);
  }
}

function push(
  attempt: AttemptPart,
  output: Output,
  value: Value,
  size: number,
  weight: number,
  index?: number,
): void {
  const { node } = attempt;
  const { run } = node.scope;
  const { report } = run;
  report.emissions += 1;
  report.bytes += size;
  // Reported before anybody reads it: an output precedes everything that reading it causes.
  if (node.sends) {
    report.output(
      node.path,
      attempt.number,
      output.plan.handle,
      modeOf[output.plan.kind],
      value,
      weight,
      index,
    );
  }
  output.push(value, weight, index);
  if (output.bytes > run.limits.maxValueBytes && output.plan.kept && !output.stopKeeping()) {
    const most = run.limits.maxValueBytes;
    throw new NodeflowError(
      "OUTPUT_TOO_LARGE",
      `The output "${output.plan.handle}" is larger than ${most} bytes`,
    );
  }
  if (run.retention.bytes > run.limits.maxRetainedBytes) {
    const most = run.limits.maxRetainedBytes;
    throw new NodeflowError("RESOURCE_EXHAUSTED", `The run keeps more than ${most} bytes of outputs`);
  }
}

/** Items either all say their places, or none of them does; two are never in one place. */
function checkIndex(output: Output, index: number | undefined): void {
  const { kind, handle } = output.plan;
  let wrong: string | null = null;
  if (kind !== "items") wrong = `carries ${kind}, which has no index`;
  else if (index === undefined || (output.taken && !output.placed))
    wrong = "has items with an index and without";
  else if (!Number.isSafeInteger(index) || index < 0)
    wrong = `has an item whose index is ${index}, and not 0, 1, 2 …`;
  else if (!output.claim(index)) wrong = `has two items with the index ${index}`;
  if (wrong === null) return;
  throw new NodeflowError("NODE_FAILED", `The output "${handle}" ${wrong}`, { retryable: false });
}

function checkKind(value: Value, kind: Kind, handle: string): void {
  const fits =
    kind === "text" ? typeof value === "string" : kind === "bytes" ? value instanceof Uint8Array : true;
  if (fits) return;
  throw new NodeflowError(
    "NODE_FAILED",
    `The output "${handle}" carries ${kind}, and the node emitted something else`,
    {
      retryable: false,
    },
  );
}
