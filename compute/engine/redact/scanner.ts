/** A text that must not appear, and what appears in its place. */
export interface Pattern {
  readonly text: string;
  readonly marker: string;
}

/** A stretch of text that is replaced. */
interface Range {
  readonly start: number;
  end: number;
  readonly marker: string;
}

interface Compiled extends Pattern {
  /** Knuth, Morris and Pratt's table: how much of the pattern still matches where its next character doesn't. */
  readonly fallback: Uint32Array;
}

/** Part of what was scanned: of the text from `start` to `end`, or a marker in its place. */
export type Piece = { readonly start: number; readonly end: number } | { readonly marker: string };

/** Less than this of a pattern's beginning tells nothing of it, and stands at the end of many texts. */
const MIN_CUT = 4;

/** Finds patterns in texts that come in pieces. */
export class Scanner {
  readonly #patterns: readonly Compiled[];
  readonly #shortest: number;

  constructor(patterns: readonly Pattern[]) {
    this.#patterns = patterns.map((pattern) => ({ ...pattern, fallback: fallbackOf(pattern.text) }));
    this.#shortest = Math.min(...patterns.map(({ text }) => text.length));
  }

  /** A text that may have been cut off somewhere: what could be the beginning of a pattern at its end is replaced, too. */
  replaceCut(text: string): string {
    const whole = this.replace(text);
    const open = this.open(whole);
    if (open < MIN_CUT) return whole;
    const marker = this.#patterns.find(({ text: pattern }) => pattern.startsWith(whole.slice(-open)))?.marker;
    return whole.slice(0, -open) + marker;
  }

  /** The whole text with every pattern replaced; the very same one if there is none in it. */
  replace(text: string): string {
    if (text.length < this.#shortest || this.ranges(text).length === 0) return text;
    return joined(text, new Stream(() => this).pieces(text, true));
  }

  /** Where patterns stand: in order, those that overlap as one. */
  ranges(text: string): readonly Range[] {
    const found: Range[] = [];
    for (const { text: pattern, marker } of this.#patterns) {
      for (let at = text.indexOf(pattern); at >= 0; at = text.indexOf(pattern, at + 1))
        found.push({ start: at, end: at + pattern.length, marker });
    }
    found.sort((a, b) => a.start - b.start || b.end - a.end);
    const merged: Range[] = [];
    for (const range of found) {
      const last = merged.at(-1);
      if (last && range.start < last.end) last.end = Math.max(last.end, range.end);
      else merged.push(range);
    }
    return merged;
  }

  /** How many of the last characters could be the beginning of a pattern. */
  open(text: string): number {
    let most = 0;
    for (const pattern of this.#patterns) most = Math.max(most, matched(pattern, text));
    return most;
  }
}

/** One text that comes in pieces. What could be the beginning of a pattern is kept until more has come. */
export class Stream {
  readonly #scanner: () => Scanner;
  #kept = "";
  /** How many characters of what is kept belong to a pattern whose marker has been given. */
  #covered = 0;

  /** The scanner is asked for each time: there may be more patterns by then. */
  constructor(scanner: () => Scanner) {
    this.#scanner = scanner;
  }

  /** What of the text so far may go on, with markers. */
  push(chunk: string): string {
    const text = this.#kept + chunk;
    return joined(text, this.pieces(text, false));
  }

  /** What was kept. */
  end(): string {
    const text = this.#kept;
    return joined(text, this.pieces(text, true));
  }

  /** How many characters are kept: they come before the next piece. */
  get kept(): number {
    return this.#kept.length;
  }

  /** The parts of `text`, which begins with what was kept, that may go on. */
  pieces(text: string, last: boolean): Piece[] {
    const scanner = this.#scanner();
    const end = last ? text.length : text.length - scanner.open(text);
    const pieces: Piece[] = [];
    let at = this.#covered;
    for (const range of scanner.ranges(text)) {
      if (range.start >= end) break;
      if (range.start > at) pieces.push({ start: at, end: range.start });
      // What overlaps a pattern whose marker has been given goes with it.
      if (range.start >= this.#covered) pieces.push({ marker: range.marker });
      at = Math.max(at, range.end);
    }
    if (at < end) pieces.push({ start: at, end });
    this.#kept = text.slice(end);
    this.#covered = Math.max(0, at - end);
    return pieces;
  }
}

function joined(text: string, pieces: readonly Piece[]): string {
  let out = "";
  for (const piece of pieces) out += "marker" in piece ? piece.marker : text.slice(piece.start, piece.end);
  return out;
}

function fallbackOf(pattern: string): Uint32Array {
  const table = new Uint32Array(pattern.length);
  for (let at = 1, length = 0; at < pattern.length; at++) {
    while (length > 0 && pattern[at] !== pattern[length]) length = table[length - 1] ?? 0;
    if (pattern[at] === pattern[length]) length += 1;
    table[at] = length;
  }
  return table;
}

/** The longest beginning of the pattern, short of all of it, that the text ends with. */
function matched({ text: pattern, fallback }: Compiled, text: string): number {
  let length = 0;
  for (let at = Math.max(0, text.length - pattern.length + 1); at < text.length; at++) {
    while (length > 0 && text[at] !== pattern[length]) length = fallback[length - 1] ?? 0;
    if (text[at] === pattern[length]) length += 1;
  }
  return length;
}
