import { JsonReader, type Limits, NodeflowError, SseReader } from "../../../protocol/index.ts";
import type { Emission } from "../../engine/index.ts";
import type { Data } from "./data.ts";

/** The pieces of a body as they come: the next one is asked for when this one has been used. */
export type Pieces = AsyncIterable<Uint8Array>;

export interface ReadOptions {
  readonly limits: Limits;
  /** What the answer says of its characters; UTF-8 if nothing. */
  readonly charset: string | null;
}

/** Reads a body in one of the ways of `http`. */
export function read(mode: Data["read"], pieces: Pieces, options: ReadOptions): AsyncIterable<Emission> {
  switch (mode) {
    case "json":
      return json(pieces, options);
    case "text":
      return texts(pieces, options);
    case "lines":
      return lines(pieces, options);
    case "sse":
      return events(pieces, options);
    case "bytes":
      return bytes(pieces);
  }
}

async function* bytes(pieces: Pieces): AsyncGenerator<Emission> {
  for await (const value of pieces) yield { value };
}

async function* texts(pieces: Pieces, options: ReadOptions): AsyncGenerator<Emission> {
  for await (const value of decoded(pieces, options)) yield { value };
}

/** Text as it comes. A character whose bytes are not all there waits for the rest. */
async function* decoded(pieces: Pieces, { charset }: ReadOptions): AsyncGenerator<string> {
  const decoder = decoderOf(charset);
  for await (const piece of pieces) {
    const text = decoder.decode(piece, { stream: true });
    if (text !== "") yield text;
  }
  const rest = decoder.decode();
  if (rest !== "") yield rest;
}

function decoderOf(charset: string | null) {
  try {
    return new TextDecoder(charset ?? "utf-8");
  } catch {
    throw new NodeflowError(
      "UPSTREAM_ERROR",
      `The answer's charset "${charset?.slice(0, 64)}" is not known`,
      {
        retryable: false,
      },
    );
  }
}

/** Lines without their ends (LF or CRLF); the last one needs no end. */
async function* lines(pieces: Pieces, options: ReadOptions): AsyncGenerator<Emission> {
  const { maxValueBytes } = options.limits;
  // Joined only once the line has its end: a long one comes in many pieces.
  let begun: string[] = [];
  let length = 0;
  for await (const text of decoded(pieces, options)) {
    let at = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", at)) {
      begun.push(text.slice(at, end));
      at = end + 1;
      yield { value: withoutReturn(begun.join("")) };
      begun = [];
      length = 0;
    }
    if (at < text.length) begun.push(text.slice(at));
    length += text.length - at;
    if (length > maxValueBytes) throw tooLarge("A line", maxValueBytes);
  }
  if (length > 0) yield { value: begun.join("") };
}

function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}

/** Server-Sent Events, which are always UTF-8. A half event at the end is no event. */
async function* events(pieces: Pieces, { limits }: ReadOptions): AsyncGenerator<Emission> {
  const reader = new SseReader({ maxUpdateBytes: limits.maxValueBytes });
  for await (const piece of pieces) {
    for (const { id, event, data } of pushed(() => reader.push(piece), "An event", limits)) {
      yield { value: { ...(event !== undefined && { event }), data, ...(id !== undefined && { id }) } };
    }
  }
}

/** JSON in UTF-8 (RFC 8259), parsed as it comes, so that a large answer holds up nobody. */
async function* json(pieces: Pieces, { limits }: ReadOptions): AsyncGenerator<Emission> {
  const { maxValueBytes: maxBodyBytes, maxBodyItems, maxDepth } = limits;
  const reader = new JsonReader({ maxBodyBytes, maxBodyItems, maxDepth });
  let empty = true;
  for await (const piece of pieces) {
    empty &&= piece.byteLength === 0;
    pushed(() => reader.push(piece), "The answer", limits);
  }
  // An answer without a body (204, or to HEAD) is no mistake.
  if (empty) yield { value: null };
  else yield { value: pushed(() => reader.end(), "The answer", limits) as Emission["value"] };
}

/** The protocol's readers find faults with requests; here it is an answer that is wrong. */
function pushed<T>(push: () => T, what: string, { maxValueBytes }: Limits): T {
  try {
    return push();
  } catch (error) {
    if (!(error instanceof NodeflowError)) throw error;
    if (error.code === "PAYLOAD_TOO_LARGE") throw tooLarge(what, maxValueBytes);
    throw new NodeflowError("UPSTREAM_ERROR", `The answer can't be read: ${error.message}`, {
      retryable: false,
    });
  }
}

function tooLarge(what: string, most: number): NodeflowError {
  return new NodeflowError(
    "OUTPUT_TOO_LARGE",
    `${what} is larger than ${most} bytes, or has too many values in it`,
  );
}
