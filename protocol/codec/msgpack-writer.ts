import { NodeflowError } from "../error.ts";
import { WRITE_DEPTH } from "./bounds.ts";

const FIRST_ROOM = 1_024;
/** The most bytes that a UTF-16 unit takes in UTF-8. */
const UTF8_PER_UNIT = 3;
const SHORT = 24;
const UINT32 = 2 ** 32;
const INT32 = 2 ** 31;

const utf8 = new TextEncoder();

/**
 * Writes plain data as MessagePack with the smallest headers. It is a writer of its own since the library that was tried
 * calls whatever a user's object has under the key `toJSON`.
 */
export function writeMsgpack(data: unknown): Uint8Array {
  const writer = new Writer();
  writer.value(data, 0);
  return writer.written();
}

class Writer {
  #bytes = new Uint8Array(FIRST_ROOM);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  value(value: unknown, depth: number): void {
    if (typeof value === "string") this.#text(value);
    else if (typeof value === "number") this.#number(value);
    else if (typeof value === "boolean") this.#byte(value ? 0xc3 : 0xc2);
    else if (typeof value === "bigint") throw new NodeflowError("INVALID_REQUEST", "A bigint is not a value");
    else if (typeof value === "object" && value !== null) this.#object(value, depth);
    else this.#byte(0xc0);
  }

  #object(value: object, depth: number): void {
    if (depth > WRITE_DEPTH) throw new NodeflowError("INVALID_REQUEST", "A value is nested too deeply");
    if (Array.isArray(value)) {
      this.#header(value.length, 0x90, 16, 0xdb);
      for (const element of value) this.value(element, depth + 1);
    } else if (value instanceof Uint8Array) {
      this.#header(value.byteLength, 0, 0, 0xc4);
      this.#room(value.byteLength);
      this.#bytes.set(value, this.#at);
      this.#at += value.byteLength;
    } else {
      const object = value as Record<string, unknown>;
      // As in JSON, what is undefined isn't there.
      const keys = Object.keys(object).filter((key) => object[key] !== undefined);
      this.#header(keys.length, 0x80, 16, 0xdd);
      for (const key of keys) {
        this.#text(key);
        this.value(object[key], depth + 1);
      }
    }
  }

  #text(text: string): void {
    if (text.length <= SHORT && this.#shortAscii(text)) return;
    if (text.length <= 10) {
      // At most 31 bytes: the header is one byte, whatever the text is.
      this.#room(1 + text.length * UTF8_PER_UNIT);
      const { written } = utf8.encodeInto(text, this.#bytes.subarray(this.#at + 1));
      this.#bytes[this.#at] = 0xa0 | written;
      this.#at += 1 + written;
      return;
    }
    const bytes = utf8.encode(text);
    this.#header(bytes.byteLength, 0xa0, 32, 0xd9);
    this.#room(bytes.byteLength);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.byteLength;
  }

  #shortAscii(text: string): boolean {
    this.#room(1 + text.length);
    const from = this.#at + 1;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) return false;
      this.#bytes[from + i] = code;
    }
    this.#bytes[this.#at] = 0xa0 | text.length;
    this.#at = from + text.length;
    return true;
  }

  #number(value: number): void {
    if (!Number.isInteger(value) || value >= UINT32 || value < -INT32 || Object.is(value, -0)) {
      this.#room(9);
      this.#bytes[this.#at] = 0xcb;
      this.#view.setFloat64(this.#at + 1, value);
      this.#at += 9;
    } else if (value >= 0) {
      if (value < 0x80) this.#byte(value);
      else this.#sized(value, 0xcc);
    } else if (value >= -32) {
      this.#byte(value + 256);
    } else {
      this.#negative(value);
    }
  }

  #negative(value: number): void {
    this.#room(5);
    const at = this.#at;
    if (value >= -0x80) {
      this.#bytes[at] = 0xd0;
      this.#view.setInt8(at + 1, value);
      this.#at += 2;
    } else if (value >= -0x8000) {
      this.#bytes[at] = 0xd1;
      this.#view.setInt16(at + 1, value);
      this.#at += 3;
    } else {
      this.#bytes[at] = 0xd2;
      this.#view.setInt32(at + 1, value);
      this.#at += 5;
    }
  }

  /** A length: within the code itself if it is below `fits`, else in 1, 2 or 4 bytes. Lists and maps have none of 1. */
  #header(length: number, fixed: number, fits: number, code: number): void {
    if (length < fits) this.#byte(fixed | length);
    else if (code === 0xdb || code === 0xdd) this.#sized(length, code, 2);
    else this.#sized(length, code);
  }

  #sized(value: number, code: number, least = 1): void {
    this.#room(5);
    const at = this.#at;
    if (value < 0x100 && least === 1) {
      this.#bytes[at] = code;
      this.#bytes[at + 1] = value;
      this.#at += 2;
    } else if (value < 0x10000) {
      this.#bytes[at] = code + 1;
      this.#view.setUint16(at + 1, value);
      this.#at += 3;
    } else {
      this.#bytes[at] = code + 2;
      this.#view.setUint32(at + 1, value);
      this.#at += 5;
    }
  }

  #byte(byte: number): void {
    this.#room(1);
    this.#bytes[this.#at++] = byte;
  }

  #room(length: number): void {
    const needed = this.#at + length;
    if (needed <= this.#bytes.byteLength) return;
    const larger = new Uint8Array(Math.max(needed, this.#bytes.byteLength * 2));
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
