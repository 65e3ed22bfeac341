/** How far readers may lag behind the newest item, in items and in bytes. Beyond either, the source waits. */
const MAX_LAG = 256;
const MAX_LAG_BYTES = 4 * 1024 * 1024;

interface Entry<T> {
  readonly item: T;
  /** Bytes of all items ever before this one. */
  readonly before: number;
}

/**
 * One source, many readers, bounded memory.
 *
 * - The source goes on as long as the slowest reader is within `MAX_LAG` and `MAX_LAG_BYTES` of the newest item. A reader
 *   counts from its first read until it leaves: one that never reads, or has left, holds back nobody.
 * - Without readers the source fills the window, and goes on beyond it only once somebody wants the end (`flow`).
 * - The window stays behind the newest item, so readers that begin a little later miss nothing. One that begins when its
 *   first item is gone is told so by an error instead of getting a stream with a hole.
 */
export class Broadcast<T> {
  readonly #window = new Map<number, Entry<T>>();
  /** Indices, counted from the first item ever: of the oldest one kept, and of the next one to come. */
  #oldest = 0;
  #next = 0;
  /** Bytes of all items ever. */
  #total = 0;
  readonly #active = new Set<Reader<T>>();
  #flowing = false;
  #lifted = false;
  #end: { readonly error?: unknown } | null = null;
  #waiting: (() => void)[] = [];
  #room: (() => void) | null = null;
  readonly #abandoned: () => void;

  /** `abandoned` is called when the last reader has left and nobody wants the end. */
  constructor(abandoned: () => void) {
    this.#abandoned = abandoned;
  }

  /** Adds an item of a size. The source awaits `room()` before; what can't wait, like the end of a run, comes at once. */
  push(item: T, bytes: number): void {
    if (this.#end) return;
    this.#window.set(this.#next, { item, before: this.#total });
    this.#next += 1;
    this.#total += bytes;
    this.#trim();
    this.#wake();
  }

  /** Resolves when the next item may come. */
  async room(): Promise<void> {
    while (!this.#end && !this.#hasRoom()) {
      await new Promise<void>((resolve) => {
        this.#room = resolve;
      });
    }
  }

  /** From now on the source goes on also without readers. */
  flow(): void {
    this.#flowing = true;
    this.#giveRoom();
  }

  /** From now on nothing waits: what is left is about to end. */
  lift(): void {
    this.#lifted = true;
    this.#giveRoom();
  }

  close(): void {
    this.#finish({});
  }

  fail(error: unknown): void {
    this.#finish({ error });
  }

  /** Reads from the first item, or from the next one. */
  reader(from: "first" | "next"): Reader<T> {
    const source: Source<T> = {
      joined: (reader) => this.#active.add(reader),
      left: (reader) => this.#leave(reader),
      moved: () => this.#giveRoom(),
      at: (index) => this.#at(index),
      changed: () => new Promise((resolve) => this.#waiting.push(resolve)),
    };
    return new Reader<T>(source, from === "first" ? 0 : this.#next);
  }

  #at(index: number): IteratorResult<T, undefined> | null {
    if (index < this.#oldest) throw new Error("Reading began too late: the first updates are gone");
    const entry = this.#window.get(index);
    if (entry) return { done: false, value: entry.item };
    if (!this.#end) return null;
    if ("error" in this.#end) throw this.#end.error;
    return { done: true, value: undefined };
  }

  #hasRoom(): boolean {
    if (this.#lifted || (this.#active.size === 0 && this.#flowing)) return true;
    return this.#within(this.#slowest());
  }

  /** True if everything from `index` on fits into the window. */
  #within(index: number): boolean {
    const before = this.#window.get(index)?.before ?? this.#total;
    return this.#next - index < MAX_LAG && this.#total - before < MAX_LAG_BYTES;
  }

  /** Where the slowest reader is. Without readers, the oldest item, so that a first reader finds everything. */
  #slowest(): number {
    if (this.#active.size === 0) return this.#oldest;
    let slowest = this.#next;
    for (const reader of this.#active) slowest = Math.min(slowest, reader.position);
    return slowest;
  }

  /** Drops what is outside the window, except what a reader still needs. */
  #trim(): void {
    const needed = this.#active.size === 0 && this.#flowing ? this.#next : this.#slowest();
    while (this.#oldest < needed && !this.#within(this.#oldest)) {
      this.#window.delete(this.#oldest);
      this.#oldest += 1;
    }
  }

  #leave(reader: Reader<T>): void {
    if (!this.#active.delete(reader)) return;
    if (this.#active.size === 0 && !this.#flowing && !this.#end) this.#abandoned();
    this.#giveRoom();
  }

  #finish(end: { readonly error?: unknown }): void {
    this.#end ??= end;
    this.#wake();
    this.#giveRoom();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #giveRoom(): void {
    if (!this.#room || !(this.#end || this.#hasRoom())) return;
    const resolve = this.#room;
    this.#room = null;
    resolve();
  }
}

/** What a reader needs of its broadcast. */
interface Source<T> {
  joined(reader: Reader<T>): void;
  left(reader: Reader<T>): void;
  moved(): void;
  /** The item at an index, the end, or null if neither is there yet. Throws what the source failed with. */
  at(index: number): IteratorResult<T, undefined> | null;
  changed(): Promise<void>;
}

/** One reader's place in a broadcast. */
export class Reader<T> implements AsyncIterableIterator<T, undefined> {
  readonly #source: Source<T>;
  #left = false;
  position: number;

  constructor(source: Source<T>, position: number) {
    this.#source = source;
    this.position = position;
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    for (;;) {
      if (this.#left) return DONE;
      this.#source.joined(this);
      const found = this.#at();
      if (found?.done) await this.return();
      else if (found) this.position += 1;
      if (found) {
        this.#source.moved();
        return found;
      }
      await this.#source.changed();
    }
  }

  #at(): IteratorResult<T, undefined> | null {
    try {
      return this.#source.at(this.position);
    } catch (error) {
      void this.return();
      throw error;
    }
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#left = true;
    this.#source.left(this);
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };
