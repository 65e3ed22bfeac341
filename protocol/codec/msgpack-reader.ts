import { NodeflowError } from "../error.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import type { Steps } from "../steps.ts";
import { CONTAINER_ITEMS, ENVELOPE_DEPTH, type ReadLimits } from "./bounds.ts";

/** Bytes read between two pauses. */
const SLICE = 16 * 1024;
/** Up to this length, text is cheaper to read by hand than by a TextDecoder. */
const SHORT = 24;

/** A list or map that has begun and not ended. */
interface Level {
  readonly list: unknown[] | null;
  readonly map: Record<string, unknown> | null;
  /** Elements that are still to come. */
  left: number;
  /** The key whose value comes next. */
  key: string | null;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const EMPTY = new Uint8Array(0);

/**
 * Reads MessagePack in pieces of any size: one value after another, as plain lists, objects with string keys, bytes and
 * finite numbers. It is a reader of its own, and not a library's, for what it doesn't do: it never recurses, makes room
 * only for what has come, builds nothing but data (extensions are refused), and can be paused anywhere.
 */
export class MsgpackReader {
  readonly #limits: ReadLimits;
  readonly #levels: Level[] = [];
  #parts: Uint8Array[] = [];
  /** Bytes in `#parts`, and how many it takes until something can be read of them. */
  #size = 0;
  #need = 1;
  /** Of the value that is being read. */
  #bytes = 0;
  #items = 0;
  #view: DataView = new DataView(EMPTY.buffer);
  #buffer: Uint8Array = EMPTY;
  #at = 0;
  #complete: unknown[] = [];

  constructor(limits: ReadLimits = DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  /**
   * Takes the next piece and gives the values that have become complete. Throws `PAYLOAD_TOO_LARGE` for one larger than
   * `maxBodyBytes` or with too many elements, `INVALID_REQUEST` for what isn't a value; it is of no use afterwards.
   */
  push(chunk: Uint8Array): unknown[] {
    if (chunk.byteLength === 0) return [];
    this.#parts.push(chunk);
    this.#size += chunk.byteLength;
    if (this.#size >= this.#need) this.#read();
    const complete = this.#complete;
    this.#complete = [];
    return complete;
  }

  /** Throws `INVALID_REQUEST` if the bytes end within a value. */
  end(): void {
    if (this.#size > 0 || this.#levels.length > 0) throw malformed("ends too early");
  }

  #read(): void {
    this.#buffer = this.#parts.length === 1 ? this.#parts[0]! : concat(this.#parts, this.#size);
    this.#view = new DataView(this.#buffer.buffer, this.#buffer.byteOffset, this.#buffer.byteLength);
    this.#at = 0;
    this.#need = 0;
    while (this.#at < this.#size && this.#token()) {
      if (this.#levels.length === 0) this.#bytes = this.#items = 0;
    }
    const rest = this.#buffer.subarray(this.#at);
    this.#parts = rest.byteLength === 0 ? [] : [rest];
    this.#size = rest.byteLength;
    this.#need = Math.max(this.#need, this.#size + 1);
  }

  /** Reads one header with what belongs to it. False if that isn't all there yet. */
  #token(): boolean {
    const code = this.#buffer[this.#at]!;
    if (code < 0x80) return this.#fixed(code);
    if (code < 0x90) return this.#container(1, code & 15, true);
    if (code < 0xa0) return this.#container(1, code & 15, false);
    if (code < 0xc0) return this.#text(1, code & 31);
    if (code >= 0xe0) return this.#fixed(code - 256);
    const view = this.#view;
    const at = this.#at + 1;
    switch (code) {
      case 0xc0:
        return this.#fixed(null);
      case 0xc2:
        return this.#fixed(false);
      case 0xc3:
        return this.#fixed(true);
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#sized(code - 0xc4, (header, length) => this.#binary(header, length));
      case 0xca:
        return this.#scalar(5, () => finite(view.getFloat32(at)));
      case 0xcb:
        return this.#scalar(9, () => finite(view.getFloat64(at)));
      case 0xcc:
        return this.#scalar(2, () => view.getUint8(at));
      case 0xcd:
        return this.#scalar(3, () => view.getUint16(at));
      case 0xce:
        return this.#scalar(5, () => view.getUint32(at));
      case 0xcf:
        return this.#scalar(9, () => Number(view.getBigUint64(at)));
      case 0xd0:
        return this.#scalar(2, () => view.getInt8(at));
      case 0xd1:
        return this.#scalar(3, () => view.getInt16(at));
      case 0xd2:
        return this.#scalar(5, () => view.getInt32(at));
      case 0xd3:
        return this.#scalar(9, () => Number(view.getBigInt64(at)));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#sized(code - 0xd9, (header, length) => this.#text(header, length));
      case 0xdc:
      case 0xdd:
        return this.#sized(code - 0xdb, (header, length) => this.#container(header, length, false));
      case 0xde:
      case 0xdf:
        return this.#sized(code - 0xdd, (header, length) => this.#container(header, length, true));
      default:
        throw malformed(`has a type that is refused (0x${code.toString(16)})`);
    }
  }

  /** True if `length` bytes from the header on are there; else they are waited for, if they may come at all. */
  #has(length: number): boolean {
    if (this.#bytes + length > this.#limits.maxBodyBytes) {
      throw new NodeflowError(
        "PAYLOAD_TOO_LARGE",
        `The body is larger than ${this.#limits.maxBodyBytes} bytes`,
      );
    }
    if (this.#at + length <= this.#size) return true;
    this.#need = length;
    return false;
  }

  #pass(length: number): void {
    this.#at += length;
    this.#bytes += length;
  }

  #count(items: number): void {
    this.#items += items;
    if (this.#items <= this.#limits.maxBodyItems) return;
    throw new NodeflowError("PAYLOAD_TOO_LARGE", "The body has too many values");
  }

  /** A value that is its own header. */
  #fixed(value: unknown): boolean {
    if (!this.#has(1)) return false;
    this.#pass(1);
    this.#add(value);
    return true;
  }

  #scalar(length: number, read: () => unknown): boolean {
    if (!this.#has(length)) return false;
    const value = read();
    this.#pass(length);
    this.#add(value);
    return true;
  }

  /** A header with a length of 1, 2 or 4 bytes. */
  #sized(width: number, read: (header: number, length: number) => boolean): boolean {
    const header = 1 + (1 << width);
    if (!this.#has(header)) return false;
    const at = this.#at + 1;
    if (width === 0) return read(header, this.#view.getUint8(at));
    return read(header, width === 1 ? this.#view.getUint16(at) : this.#view.getUint32(at));
  }

  #binary(header: number, length: number): boolean {
    if (!this.#has(header + length)) return false;
    const from = this.#at + header;
    // A copy: a few bytes must not keep a whole body in memory.
    const value = this.#buffer.slice(from, from + length);
    this.#pass(header + length);
    this.#add(new Uint8Array(value));
    return true;
  }

  #text(header: number, length: number): boolean {
    if (!this.#has(header + length)) return false;
    const text = decode(this.#buffer, this.#at + header, length);
    this.#pass(header + length);
    const level = this.#levels.at(-1);
    if (level === undefined || level.map === null || level.key !== null) {
      this.#add(text);
      return true;
    }
    if (text === "__proto__") throw malformed("has the key __proto__, which is refused");
    level.key = text;
    return true;
  }

  #container(header: number, length: number, isMap: boolean): boolean {
    this.#pass(header);
    this.#count(CONTAINER_ITEMS);
    if (this.#levels.length >= this.#limits.maxDepth + ENVELOPE_DEPTH) {
      throw new NodeflowError(
        "INVALID_REQUEST",
        `The body is nested deeper than ${this.#limits.maxDepth} levels`,
      );
    }
    if (this.#items + length > this.#limits.maxBodyItems) this.#count(length);
    const container = isMap ? {} : [];
    if (length === 0) {
      this.#add(container);
      return true;
    }
    this.#expectValue();
    this.#levels.push({
      list: isMap ? null : (container as unknown[]),
      map: isMap ? (container as Record<string, unknown>) : null,
      left: length,
      key: null,
    });
    return true;
  }

  #expectValue(): void {
    const level = this.#levels.at(-1);
    if (level !== undefined && level.map !== null && level.key === null)
      throw malformed("has a key that is not text");
  }

  /** A value is complete: it goes where it belongs, and so do the lists and maps that it completes. */
  #add(complete: unknown): void {
    this.#expectValue();
    this.#count(1);
    let value = complete;
    for (let level = this.#levels.at(-1); level !== undefined; level = this.#levels.at(-1)) {
      if (level.list !== null) level.list.push(value);
      else if (level.map !== null && level.key !== null) level.map[level.key] = value;
      level.key = null;
      level.left -= 1;
      if (level.left > 0) return;
      value = level.list ?? level.map;
      this.#levels.pop();
    }
    this.#complete.push(value);
  }
}

function decode(bytes: Uint8Array, from: number, length: number): string {
  if (length <= SHORT) {
    let text = "";
    let at = from;
    for (; at < from + length && bytes[at]! < 0x80; at++) text += String.fromCharCode(bytes[at]!);
    if (at === from + length) return text;
  }
  try {
    return utf8.decode(bytes.subarray(from, from + length));
  } catch (cause) {
    throw new NodeflowError("INVALID_REQUEST", "The MessagePack has text that is not UTF-8", { cause });
  }
}

function finite(value: number): number {
  if (!Number.isFinite(value)) throw malformed(`has the number ${value}, which is not a value`);
  return value;
}

function malformed(what: string): NodeflowError {
  return new NodeflowError("INVALID_REQUEST", `The MessagePack ${what}`);
}

function concat(parts: readonly Uint8Array[], size: number): Uint8Array {
  const joined = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.byteLength;
  }
  return joined;
}

/** Reads a body of one value, in steps. The value still has its markers. */
export function* readMsgpackSteps(body: Uint8Array, limits: ReadLimits = DEFAULT_LIMITS): Steps<unknown> {
  const reader = new MsgpackReader(limits);
  const values: unknown[] = [];
  if (body.byteLength > limits.maxBodyBytes) {
    throw new NodeflowError("PAYLOAD_TOO_LARGE", `The body is larger than ${limits.maxBodyBytes} bytes`);
  }
  for (let at = 0; at < body.byteLength; at += SLICE) {
    for (const value of reader.push(body.subarray(at, at + SLICE))) values.push(value);
    if (values.length > 1) break;
    yield;
  }
  if (values.length > 1) throw malformed("has something after its value");
  reader.end();
  if (values.length === 0) throw malformed("is empty");
  return values[0];
}
