import type { Limits, Value } from "../../protocol/index.ts";
import { Indices } from "./indices.ts";
import { foldOf, piecesOf } from "./pieces.ts";
import type { PlanOutput } from "./plan.ts";

// Shared by all outputs that have none, which in most workflows are nearly all. Never written to.
const NO_ENTRIES: Value[] = [];
const NO_SIZES: number[] = [];
const NO_CURSORS: Set<Cursor> = new Set();

/** What a run keeps of outputs, all together. */
export interface Retention {
  bytes: number;
  readonly limits: Limits;
}

/**
 * What one attempt has emitted on one handle: the emissions in order, from the oldest that somebody may still read.
 * Live readers each have a cursor in it, and the slowest one holds the source back. Where the fold is needed, everything
 * is kept, so that a reader can begin again at the beginning; otherwise what all cursors have passed is forgotten.
 */
export class Output {
  readonly plan: PlanOutput;
  readonly #retention: Retention;
  /** Whether anything was emitted. A `value` handle without is not taken. */
  taken = false;
  /** Whether emissions are over: live readers find the end. */
  ended = false;
  #entries: Value[] = NO_ENTRIES;
  #sizes: number[] = NO_SIZES;
  /** Places of items that come out of order, beside the entries; none for those that come in order. */
  #places: number[] | null = null;
  #indices: Indices | null = null;
  /** How many entries were forgotten: the number of the first that is there. */
  #forgotten = 0;
  #bytes = 0;
  #keeping: boolean;
  #cursors: Set<Cursor> = NO_CURSORS;
  #full = 0;
  #readers = Number.POSITIVE_INFINITY;
  #waiting: (() => void) | null = null;
  #folded: Value | undefined;
  #released = false;

  constructor(plan: PlanOutput, retention: Retention) {
    this.plan = plan;
    this.#retention = retention;
    this.#keeping = plan.kept;
  }

  /** Bytes that the fold has so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether a new reader would find everything from the beginning. */
  get complete(): boolean {
    return this.#forgotten === 0;
  }

  /** Whether some reader is so far behind that the source must wait. */
  get full(): boolean {
    return this.#full > 0;
  }

  /** How many edges are still to be read, once the source is done. At none, the value is let go. */
  get readers(): number {
    return this.#readers;
  }

  set readers(count: number) {
    this.#readers = count;
    if (count === 0) this.release();
  }

  /** Whether its items say their places. */
  get placed(): boolean {
    return this.#indices !== null;
  }

  /** Takes a place among the items; false if it was taken. */
  claim(place: number): boolean {
    this.#indices ??= new Indices();
    return this.#indices.add(place);
  }

  attach(cursor: Cursor): void {
    if (this.#cursors === NO_CURSORS) this.#cursors = new Set();
    this.#cursors.add(cursor);
    for (const size of this.#sizes) this.#lag(cursor, size);
  }

  detach(cursor: Cursor): void {
    this.#cursors.delete(cursor);
    if (cursor.full) this.#madeRoom(cursor);
  }

  /** Adds an emission. `set` on a `value` handle replaces what was there. */
  push(value: Value, size: number, place?: number): void {
    this.taken = true;
    if (this.plan.kind === "value") {
      this.#retain(size - this.#bytes);
      this.#bytes = size;
      this.#folded = value;
      return;
    }
    this.#folded = undefined;
    if (this.#entries === NO_ENTRIES) {
      this.#entries = [];
      this.#sizes = [];
    }
    this.#entries.push(value);
    this.#sizes.push(size);
    if (place !== undefined) {
      this.#places ??= [];
      this.#places.push(place);
    }
    this.#bytes += size;
    this.#retain(size);
    for (const cursor of this.#cursors) {
      this.#lag(cursor, size);
      cursor.arrived();
    }
    if (!this.#keeping) this.#forgetRead();
  }

  /** Sets the whole value, of an output that nobody has begun to read. The caller ends it. */
  replace(value: Value): void {
    this.taken = true;
    this.#folded = value;
    this.#places = null;
    if (this.plan.kind === "value") return;
    this.#entries = piecesOf(value, this.plan.kind);
    this.#sizes = this.#entries.map(() => 0);
  }

  /** Emissions are over. */
  end(): void {
    this.ended = true;
    for (const cursor of this.#cursors) cursor.arrived();
  }

  /** Calls back once no reader is too far behind. */
  whenRoom(callback: () => void): void {
    this.#waiting = callback;
  }

  /** Past a cap, what was kept only for reading again is given up. False if somebody needs the fold itself. */
  stopKeeping(): boolean {
    const needed = this.plan.edges.length > this.plan.liveEdges.length;
    if (needed) return false;
    this.#keeping = false;
    this.#forgetRead();
    return true;
  }

  /** The value of the handle. */
  fold(): Value {
    if (this.#released)
      throw new RangeError(`The output "${this.plan.handle}" is read after it was let go of`);
    this.#folded ??= foldOf(this.plan.kind, this.#entries, this.#places);
    return this.#folded;
  }

  /** Nobody will read any more. */
  release(): void {
    this.#released = true;
    this.#retain(-this.#bytes);
    this.#bytes = 0;
    this.#entries = NO_ENTRIES;
    this.#sizes = NO_SIZES;
    this.#folded = undefined;
    this.#cursors = NO_CURSORS;
    this.#full = 0;
    this.#waiting = null;
  }

  has(position: number): boolean {
    return position - this.#forgotten < this.#entries.length;
  }

  /** The entry at a cursor, which moves on. */
  take(cursor: Cursor): Value {
    const at = cursor.position - this.#forgotten;
    cursor.position += 1;
    cursor.items -= 1;
    cursor.bytes -= this.#sizes[at] ?? 0;
    if (cursor.full) {
      const { maxQueueItems, maxQueueBytes } = this.#retention.limits;
      if (cursor.items * 2 <= maxQueueItems && cursor.bytes * 2 <= maxQueueBytes) this.#madeRoom(cursor);
    }
    return this.#entries[at] as Value;
  }

  #lag(cursor: Cursor, size: number): void {
    cursor.items += 1;
    cursor.bytes += size;
    const { maxQueueItems, maxQueueBytes } = this.#retention.limits;
    if (cursor.full || (cursor.items < maxQueueItems && cursor.bytes < maxQueueBytes)) return;
    cursor.full = true;
    this.#full += 1;
  }

  #madeRoom(cursor: Cursor): void {
    cursor.full = false;
    this.#full -= 1;
    if (this.#full > 0) return;
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.();
  }

  #retain(bytes: number): void {
    this.#retention.bytes += bytes;
  }

  /** Forgets what every cursor has passed, now and then. */
  #forgetRead(): void {
    const { maxQueueItems, maxQueueBytes } = this.#retention.limits;
    if (this.#entries.length < 2 * maxQueueItems && this.#bytes < 2 * maxQueueBytes) return;
    let passed = this.#forgotten + this.#entries.length;
    for (const cursor of this.#cursors) passed = Math.min(passed, cursor.position);
    const gone = passed - this.#forgotten;
    if (gone === 0) return;
    let bytes = 0;
    for (let at = 0; at < gone; at++) bytes += this.#sizes[at] ?? 0;
    this.#entries = this.#entries.slice(gone);
    this.#sizes = this.#sizes.slice(gone);
    this.#forgotten = passed;
    this.#bytes -= bytes;
    this.#retain(-bytes);
  }
}

/** Where one live edge has got to in its source's output. It outlives attempts; a new one starts it anew. */
export class Cursor {
  position = 0;
  /** How far it is behind. */
  items = 0;
  bytes = 0;
  full = false;
  /** Whether the target knows that there is something to read, or that nothing will come. */
  known = false;
  output: Output | null = null;
  /** Whoever waits for the next entry or the end. */
  waiting: (() => void) | null = null;
  readonly #onKnown: () => void;

  constructor(onKnown: () => void) {
    this.#onKnown = onKnown;
  }

  /** Something came, or the end: what was set as a whole counts as having come. */
  arrived(): void {
    if (!this.known) {
      this.known = true;
      this.#onKnown();
    }
    const { waiting } = this;
    this.waiting = null;
    waiting?.();
  }

  /** Reads from the beginning of an output, or of none yet. */
  restart(output: Output | null): void {
    this.stop();
    this.position = 0;
    this.items = 0;
    this.bytes = 0;
    this.full = false;
    this.waiting = null;
    this.output = output;
    output?.attach(this);
    this.known = output !== null && (output.taken || output.ended);
  }

  /** What comes from now on is dropped. */
  stop(): void {
    this.output?.detach(this);
    this.output = null;
    this.waiting = null;
  }
}
