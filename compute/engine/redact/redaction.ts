import { NodeflowError, Secret, type Value } from "../../../protocol/index.ts";
import { type Piece, Scanner, Stream } from "./scanner.ts";
import { spellings } from "./spellings.ts";

const encoder = new TextEncoder();
/** How deep the details of an error are looked into. What lies deeper is left out: it might be anything. */
const MAX_DEPTH = 32;

/**
 * Keeps the secrets that an attempt was given out of everything that the attempt says: its outputs, its errors, its log. It
 * is the second net; the first is that secrets go only where they may.
 */
export class Redaction {
  readonly #secrets = new Map<string, string>();
  #texts: Scanner | null = null;
  #bytes: Scanner | null = null;
  /** Numbers are looked at only where a secret could be one. */
  #numbers = new Map<number, string>();
  readonly #textStreams = new Map<string, Stream>();
  readonly #byteStreams = new Map<string, ByteStream>();

  add(name: string, value: string): void {
    if (this.#secrets.get(value) === name) return;
    this.#secrets.set(value, name);
    this.#texts = null;
    this.#bytes = null;
    if (value.trim() !== "" && Number.isFinite(Number(value))) this.#numbers.set(Number(value), marker(name));
  }

  text(text: string): string {
    return this.#textScanner().replace(text);
  }

  /** Any value, in which texts, keys and bytes are looked at. The same one if there is nothing in it. */
  value(value: Value): Value {
    return this.#anything(value, Number.POSITIVE_INFINITY) as Value;
  }

  /** An error without the secrets, and without its cause. Its texts may be the beginnings of longer ones. */
  error(error: NodeflowError): NodeflowError {
    const { code, message, retryable, nodeId, attempt, details } = error;
    return new NodeflowError(code, this.#textScanner().replaceCut(message), {
      retryable,
      ...(nodeId !== undefined && { nodeId }),
      ...(attempt !== undefined && { attempt }),
      ...(details !== undefined && { details: this.#anything(details, MAX_DEPTH, true) }),
    });
  }

  /** A piece of a text output: what of it, and of what came before, may go on by now. */
  textPiece(handle: string, piece: string): string {
    const stream = this.#textStreams.get(handle) ?? new Stream(() => this.#textScanner());
    this.#textStreams.set(handle, stream);
    return stream.push(piece);
  }

  bytesPiece(handle: string, piece: Uint8Array): Uint8Array {
    const stream = this.#byteStreams.get(handle) ?? this.#byteStream();
    this.#byteStreams.set(handle, stream);
    return stream.push(piece);
  }

  /** What has been kept of outputs, now that nothing more comes. */
  *end(): Generator<{ readonly handle: string; readonly value: string | Uint8Array }> {
    for (const [handle, stream] of this.#textStreams) yield { handle, value: stream.end() };
    for (const [handle, stream] of this.#byteStreams) yield { handle, value: stream.end() };
    this.#textStreams.clear();
    this.#byteStreams.clear();
  }

  #anything(value: unknown, depth: number, cut = false): unknown {
    switch (typeof value) {
      case "string":
        return cut ? this.#textScanner().replaceCut(value) : this.text(value);
      case "number":
        return this.#numbers.get(value) ?? value;
      case "object":
        if (value === null || value instanceof Secret) return value;
        if (value instanceof Uint8Array) return this.#byteStream().whole(value);
        if (depth <= 0) return null;
        return Array.isArray(value) ? this.#list(value, depth, cut) : this.#object(value, depth, cut);
      default:
        return value;
    }
  }

  #list(list: readonly unknown[], depth: number, cut: boolean): readonly unknown[] {
    const redacted = list.map((item) => this.#anything(item, depth - 1, cut));
    return redacted.some((item, at) => item !== list[at]) ? redacted : list;
  }

  #object(object: object, depth: number, cut: boolean): object {
    const entries = Object.entries(object);
    const redacted = entries.map(
      ([key, item]) => [this.text(key), this.#anything(item, depth - 1, cut)] as const,
    );
    const same = redacted.every(([key, item], at) => key === entries[at]?.[0] && item === entries[at]?.[1]);
    return same ? object : Object.fromEntries(redacted);
  }

  #textScanner(): Scanner {
    this.#texts ??= new Scanner(
      [...this.#secrets].flatMap(([value, name]) =>
        spellings(value).map((text) => ({ text, marker: marker(name) })),
      ),
    );
    return this.#texts;
  }

  #byteStream(): ByteStream {
    return new ByteStream(() => this.#byteScanner());
  }

  #byteScanner(): Scanner {
    this.#bytes ??= new Scanner(
      [...this.#secrets].flatMap(([value, name]) =>
        spellings(value).flatMap((text) =>
          binaries(text).map((binary) => ({ text: binary, marker: marker(name) })),
        ),
      ),
    );
    return this.#bytes;
  }
}

function marker(name: string): string {
  return `[secret ${name}]`;
}

/** Bytes as a text of one character each, in which patterns are found as in any other. */
function binary(bytes: Uint8Array): string {
  // It gives each of the 256 bytes a character of its own, whichever that is.
  return new TextDecoder("windows-1252").decode(bytes);
}

/** A text as bytes: in UTF-8, and in Latin-1, which headers carry, where that is something else. */
function binaries(text: string): string[] {
  const utf8 = binary(encoder.encode(text));
  if (!/[\x80-\xff]/.test(text) || /[^\0-\xff]/.test(text)) return [utf8];
  return [utf8, binary(Uint8Array.from(text, (char) => char.charCodeAt(0)))];
}

/** Bytes that come in pieces. */
class ByteStream {
  readonly #stream: Stream;
  #kept = new Uint8Array(0);

  constructor(scanner: () => Scanner) {
    this.#stream = new Stream(scanner);
  }

  push(piece: Uint8Array): Uint8Array {
    return this.#take(this.#kept.length === 0 ? piece : joined([this.#kept, piece]), false);
  }

  end(): Uint8Array {
    return this.#take(this.#kept, true);
  }

  whole(bytes: Uint8Array): Uint8Array {
    return this.#take(bytes, true);
  }

  #take(bytes: Uint8Array, last: boolean): Uint8Array {
    const pieces = this.#stream.pieces(binary(bytes), last);
    // A copy: the piece may be large, and what is kept of it is small.
    this.#kept = bytes.slice(bytes.length - this.#stream.kept);
    const [only] = pieces;
    if (pieces.length === 1 && only && "start" in only) {
      return only.end - only.start === bytes.length ? bytes : bytes.subarray(only.start, only.end);
    }
    return joined(pieces.map((part) => bytesOf(part, bytes)));
  }
}

function bytesOf(piece: Piece, bytes: Uint8Array): Uint8Array {
  return "marker" in piece ? encoder.encode(piece.marker) : bytes.subarray(piece.start, piece.end);
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
