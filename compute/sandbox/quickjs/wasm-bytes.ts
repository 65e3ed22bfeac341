/** Reads a WebAssembly binary from front to back. Numbers are LEB128 (WebAssembly core specification, 5.2.2). */
export class WasmReader {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  byte(): number {
    const byte = this.bytes[this.at];
    if (byte === undefined || this.at >= this.end)
      throw new RangeError("The WebAssembly binary is cut short");
    this.at += 1;
    return byte;
  }

  /** At most 32 bits. */
  unsigned(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  }

  /** Any number, of which only the extent matters. */
  skipNumber(): void {
    while (this.byte() >= 0x80);
  }

  skip(length: number): void {
    this.at += length;
  }

  skipVector(): void {
    for (let left = this.unsigned(); left > 0; left -= 1) this.skipNumber();
  }

  /** What follows, as a reader of its own. */
  part(length: number): WasmReader {
    const part = new WasmReader(this.bytes, this.at, this.at + length);
    this.skip(length);
    return part;
  }
}

/** Writes one: bytes, numbers and slices one after another. */
export class WasmWriter {
  #bytes = new Uint8Array(1_024);
  #length = 0;

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(2 * (this.#length + more));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }

  raw(...bytes: readonly number[]): this {
    return this.slice(Uint8Array.from(bytes));
  }

  slice(bytes: Uint8Array): this {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  unsigned(value: number): this {
    this.#room(5);
    let left = value >>> 0;
    while (left >= 0x80) {
      this.#bytes[this.#length++] = (left & 0x7f) | 0x80;
      left >>>= 7;
    }
    this.#bytes[this.#length++] = left;
    return this;
  }

  text(text: string): this {
    const bytes = new TextEncoder().encode(text);
    return this.unsigned(bytes.length).slice(bytes);
  }

  /** Preceded by its length. */
  sized(content: WasmWriter): this {
    const bytes = content.done();
    return this.unsigned(bytes.length).slice(bytes);
  }

  done(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }
}
