import { Buffer } from "node:buffer";

/**
 * What goes over the channel between a host and its children: a header of JSON, and parts of bytes. On the wire: the length of
 * all that follows, the number of parts with the header, their lengths, the parts; numbers are 32 bits, little-endian.
 */
export interface Frame {
  readonly header: unknown;
  readonly parts: readonly Uint8Array<ArrayBuffer>[];
}

/** Parts of one frame, the header counted. More is no frame of ours. */
const MAX_PARTS = 65_536;
const WORD = 4;

/** What came over the channel is no frame, or a longer one than was agreed. */
export class FrameError extends Error {
  override readonly name = "FrameError";
}

export function encodeFrame(header: unknown, parts: readonly (string | ArrayBuffer)[] = []): Buffer {
  const bodies = [JSON.stringify(header), ...parts].map((part) =>
    typeof part === "string" ? Buffer.from(part) : Buffer.from(part),
  );
  let length = WORD * (1 + bodies.length);
  for (const body of bodies) length += body.length;
  const frame = Buffer.allocUnsafe(WORD + length);
  let at = frame.writeUInt32LE(length, 0);
  at = frame.writeUInt32LE(bodies.length, at);
  for (const body of bodies) at = frame.writeUInt32LE(body.length, at);
  for (const body of bodies) at += body.copy(frame, at);
  return frame;
}

/** Cuts a stream of bytes into frames. It holds at most one that isn't complete, of at most `maxBytes`. */
export class FrameReader {
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #held = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The frames that the chunk completes. Throws a `FrameError`, after which nothing can be read any more. */
  push(chunk: Buffer): Frame[] {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    const frames: Frame[] = [];
    for (let length = this.#next(); length !== null && this.#held >= WORD + length; length = this.#next()) {
      const all = this.#joined();
      frames.push(decode(all.subarray(WORD, WORD + length)));
      this.#chunks = [all.subarray(WORD + length)];
      this.#held -= WORD + length;
    }
    return frames;
  }

  /** The length of the frame that comes next, once it is known. */
  #next(): number | null {
    if (this.#held < WORD) return null;
    const [first] = this.#chunks;
    const length = (first && first.length >= WORD ? first : this.#joined()).readUInt32LE(0);
    if (length > this.#maxBytes) throw new FrameError(`A frame of ${length} bytes`);
    return length;
  }

  #joined(): Buffer {
    const [first = Buffer.alloc(0), second] = this.#chunks;
    if (!second) return first;
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }
}

function decode(body: Buffer): Frame {
  const count = body.length >= WORD ? body.readUInt32LE(0) : 0;
  let at = WORD * (1 + count);
  if (count < 1 || count > MAX_PARTS || at > body.length) throw new FrameError("A frame without parts");
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let part = 0; part < count; part += 1) {
    const end = at + body.readUInt32LE(WORD * (1 + part));
    if (end > body.length) throw new FrameError("A part longer than its frame");
    // Copied: what is kept of a frame mustn't keep all of it, nor what came with it.
    parts.push(new Uint8Array(body.subarray(at, end)));
    at = end;
  }
  const [header = new Uint8Array(), ...rest] = parts;
  return { header: parseHeader(header), parts: rest };
}

function parseHeader(bytes: Uint8Array<ArrayBuffer>): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer).toString());
  } catch (cause) {
    throw new FrameError("A frame whose header isn't JSON", { cause });
  }
}
