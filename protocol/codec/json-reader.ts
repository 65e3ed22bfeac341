import { NodeflowError } from "../error.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import type { Steps } from "../steps.ts";
import { CONTAINER_ITEMS, ENVELOPE_DEPTH, type ReadLimits } from "./bounds.ts";
import { jsonFault } from "./json-fault.ts";

/** Text that is parsed in one go, about half a millisecond of work. */
const RUN = 64 * 1024;

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const SPACE_ONLY = /^[ \t\n\r]*$/;

/** A list or object that has begun and not ended. Offsets count characters from the start of the text. */
interface Level {
  readonly isList: boolean;
  /** Of its bracket. */
  readonly opened: number;
  /** After its bracket or its last comma. */
  boundary: number;
  /** Up to where its text has been parsed. */
  parsed: number;
  /** What it becomes, once part of it has been parsed on its own. */
  built: unknown[] | Record<string, unknown> | null;
  /** The element that has just ended was built on its own, and is in `built` already. */
  attached: boolean;
}

/**
 * Reads JSON in pieces of any size, and parses it in runs of bounded size: whatever lists and objects are open when enough
 * text has come are built up from the elements that are complete. So a large body costs what `JSON.parse` costs plus one
 * look at each character, and never holds up the event loop. Strictness is `JSON.parse`'s: every character goes through it.
 */
export class JsonReader {
  readonly #limits: ReadLimits;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });
  readonly #levels: Level[] = [];
  /** Text that is not parsed yet; joined only where something of it is parsed, so that a long string is copied once. */
  #parts: string[] = [];
  #base = 0;
  #end = 0;
  #inString = false;
  #escaped = false;
  #bytes = 0;
  #items = 0;
  /** Levels that are built, counted from the outermost. */
  #builtLevels = 0;
  #root: unknown[] | Record<string, unknown> | null = null;
  /** Line breaks before `#base`, and where the line began that `#base` is in. */
  #lines = 0;
  #lineStart = 0;

  constructor(limits: ReadLimits = DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  /** Takes the next piece. Throws `PAYLOAD_TOO_LARGE` or `INVALID_REQUEST`, and is of no use afterwards. */
  push(chunk: Uint8Array): void {
    this.#bytes += chunk.byteLength;
    if (this.#bytes > this.#limits.maxBodyBytes) {
      throw new NodeflowError(
        "PAYLOAD_TOO_LARGE",
        `The body is larger than ${this.#limits.maxBodyBytes} bytes`,
      );
    }
    this.#take(this.#decode(chunk));
  }

  /** What was read. Throws `INVALID_REQUEST` if it ends too early. */
  end(): unknown {
    this.#take(this.#decode());
    if (this.#root === null) return this.#parse(this.#base, this.#end, "", "");
    if (this.#levels.length > 0) throw this.#unfinished();
    this.#blank(this.#base, this.#end);
    return this.#root;
  }

  #decode(chunk?: Uint8Array): string {
    try {
      return chunk === undefined ? this.#decoder.decode() : this.#decoder.decode(chunk, { stream: true });
    } catch (cause) {
      throw new NodeflowError("INVALID_REQUEST", `The body is not UTF-8 after offset ${this.#end}`, {
        cause,
      });
    }
  }

  #take(text: string): void {
    if (text === "") return;
    const offset = this.#end;
    this.#parts.push(text);
    this.#end += text.length;
    this.#scan(text, offset);
    if (this.#end - this.#base > RUN) this.#build();
  }

  #scan(text: string, offset: number): void {
    const { length } = text;
    let at = 0;
    while (at < length) {
      if (this.#inString) {
        at = this.#skipString(text, at);
        continue;
      }
      switch (text.charCodeAt(at)) {
        case QUOTE:
          this.#inString = true;
          break;
        case COMMA:
          this.#comma(offset + at);
          break;
        case OPEN_LIST:
          this.#open(offset + at, true);
          break;
        case OPEN_OBJECT:
          this.#open(offset + at, false);
          break;
        case CLOSE_LIST:
          this.#close(offset + at, true);
          break;
        case CLOSE_OBJECT:
          this.#close(offset + at, false);
          break;
      }
      at += 1;
    }
  }

  #skipString(text: string, from: number): number {
    let at = from;
    if (this.#escaped) {
      this.#escaped = false;
      at += 1;
    }
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        this.#inString = false;
        return at + 1;
      }
      if (code !== BACKSLASH) continue;
      at += 1;
      if (at === text.length) this.#escaped = true;
    }
    return text.length;
  }

  #count(items: number): void {
    this.#items += items;
    if (this.#items <= this.#limits.maxBodyItems) return;
    throw new NodeflowError("PAYLOAD_TOO_LARGE", "The body has too many values");
  }

  #open(at: number, isList: boolean): void {
    this.#count(CONTAINER_ITEMS);
    if (this.#levels.length >= this.#limits.maxDepth + ENVELOPE_DEPTH) {
      throw new NodeflowError(
        "INVALID_REQUEST",
        `The body is nested deeper than ${this.#limits.maxDepth} levels`,
      );
    }
    const inside = at + 1;
    this.#levels.push({ isList, opened: at, boundary: inside, parsed: inside, built: null, attached: false });
  }

  #comma(at: number): void {
    this.#count(1);
    const level = this.#levels.at(-1);
    if (level === undefined) throw this.#malformed(at);
    if (level.attached) {
      this.#blank(level.parsed, at);
      level.attached = false;
      level.parsed = at + 1;
    }
    level.boundary = at + 1;
  }

  #close(at: number, isList: boolean): void {
    const level = this.#levels.pop();
    if (level === undefined || level.isList !== isList) throw this.#malformed(at);
    if (level.built === null) return;
    if (level.attached) this.#blank(level.parsed, at);
    else if (level.parsed === level.opened + 1 || !this.#isBlank(level.parsed, at)) this.#append(level, at);
    else throw this.#malformed(at);
    this.#builtLevels -= 1;
    this.#drop(at + 1);
    const holder = this.#levels.at(-1);
    if (holder === undefined) return;
    holder.attached = true;
    holder.parsed = at + 1;
  }

  /** Parses all complete elements of whatever is open. */
  #build(): void {
    for (let i = Math.max(0, this.#builtLevels - 1); i < this.#levels.length; i++) {
      const level = this.#levels[i]!;
      if (level.built === null) this.#begin(level, this.#levels[i - 1]);
      if (level.attached || level.boundary <= level.parsed) continue;
      if (this.#isBlank(level.parsed, level.boundary - 1)) throw this.#malformed(level.boundary - 1);
      this.#append(level, level.boundary - 1);
      level.parsed = level.boundary;
    }
    const innermost = this.#levels.at(-1);
    if (innermost !== undefined) this.#drop(innermost.parsed);
  }

  /** Begins to build a level: from here on its holder has it. */
  #begin(level: Level, holder: Level | undefined): void {
    const built = level.isList ? [] : {};
    level.built = built;
    this.#builtLevels += 1;
    if (holder === undefined) {
      this.#blank(this.#base, level.opened);
      this.#root = built;
    } else if (Array.isArray(holder.built)) {
      this.#blank(holder.boundary, level.opened);
      holder.built.push(built);
    } else {
      const named = this.#parse(holder.boundary, level.opened, "{", "0}") as Record<string, unknown>;
      define(holder.built as Record<string, unknown>, Object.keys(named)[0]!, built);
    }
  }

  #append(level: Level, end: number): void {
    if (Array.isArray(level.built)) {
      for (const element of this.#parse(level.parsed, end, "[", "]") as unknown[]) level.built.push(element);
      return;
    }
    const members = this.#parse(level.parsed, end, "{", "}") as Record<string, unknown>;
    for (const key of Object.keys(members)) define(level.built as Record<string, unknown>, key, members[key]);
  }

  #text(from: number, to: number): string {
    if (this.#parts.length > 1) this.#parts = [this.#parts.join("")];
    return (this.#parts[0] ?? "").slice(from - this.#base, to - this.#base);
  }

  #parse(from: number, to: number, before: string, after: string): unknown {
    const text = before + this.#text(from, to) + after;
    try {
      return JSON.parse(text);
    } catch {
      // Engines tell the place in different ways or not at all, so it is looked for here.
      const fault = jsonFault(text);
      if (fault >= text.length - after.length)
        throw this.#malformed(to, to === this.#end ? "ends too early" : undefined);
      throw this.#malformed(from + fault - before.length);
    }
  }

  /** The text has ended within what is being built; or something is wrong in the part that wasn't parsed yet. */
  #unfinished(): NodeflowError {
    const level = this.#levels[this.#builtLevels - 1]!;
    const filler = level.isList ? "0" : '"":0';
    const before = level.attached ? filler : level.parsed > level.opened + 1 ? `${filler},` : "";
    const head = (level.isList ? "[" : "{") + before;
    const text = head + this.#text(level.parsed, this.#end);
    const fault = jsonFault(text);
    if (fault >= text.length) return this.#malformed(this.#end, "ends too early");
    return this.#malformed(level.parsed + fault - head.length);
  }

  #isBlank(from: number, to: number): boolean {
    return SPACE_ONLY.test(this.#text(from, to));
  }

  #blank(from: number, to: number): void {
    const text = this.#text(from, to);
    if (!SPACE_ONLY.test(text)) throw this.#malformed(from + text.search(/[^ \t\n\r]/));
  }

  /** Forgets text that has been parsed. */
  #drop(to: number): void {
    if (to <= this.#base) return;
    const gone = this.#text(this.#base, to);
    const rest = this.#text(to, this.#end);
    this.#countLines(gone);
    this.#parts = rest === "" ? [] : [rest];
    this.#base = to;
  }

  #countLines(text: string): void {
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) {
      this.#lines += 1;
      this.#lineStart = this.#base + at + 1;
    }
  }

  #malformed(at: number, what = "has an error"): NodeflowError {
    this.#countLines(this.#text(this.#base, at));
    const place = `line ${this.#lines + 1}, column ${at - this.#lineStart + 1} (offset ${at})`;
    return new NodeflowError("INVALID_REQUEST", `The JSON ${what} at ${place}`);
  }
}

/** Sets an own property, whatever its name: assigning to `__proto__` would change the prototype. */
function define(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== "__proto__") object[key] = value;
  else Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

/** Reads a whole body, in steps. Depth, size and number of values are checked before anything is built of them. */
export function* readJsonSteps(body: Uint8Array, limits: ReadLimits = DEFAULT_LIMITS): Steps<unknown> {
  const reader = new JsonReader(limits);
  for (let at = 0; at < body.byteLength; at += RUN) {
    reader.push(body.subarray(at, at + RUN));
    yield;
  }
  return reader.end();
}

/** Reads a small body in one go. The value still has its markers. */
export function readJson(body: Uint8Array | string, limits: ReadLimits = DEFAULT_LIMITS): unknown {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  if (bytes.length <= RUN && isHarmless(bytes, limits)) {
    try {
      return JSON.parse(strict.decode(bytes));
    } catch {
      // The reader finds out what is wrong, and where.
    }
  }
  const reader = new JsonReader(limits);
  reader.push(bytes);
  return reader.end();
}

const strict = new TextDecoder("utf-8", { fatal: true });

/** Whether a body is surely within the limits. Everything that gives JSON its structure is a byte of its own in UTF-8. */
function isHarmless(bytes: Uint8Array, { maxBodyBytes, maxBodyItems, maxDepth }: ReadLimits): boolean {
  if (bytes.length > maxBodyBytes || bytes.length * CONTAINER_ITEMS > maxBodyItems) return false;
  let depth = 0;
  for (let at = 0; at < bytes.length; at++) {
    switch (bytes[at]) {
      case QUOTE:
        at = endOfString(bytes, at);
        break;
      case OPEN_LIST:
      case OPEN_OBJECT:
        depth += 1;
        if (depth > maxDepth + ENVELOPE_DEPTH) return false;
        break;
      case CLOSE_LIST:
      case CLOSE_OBJECT:
        depth -= 1;
        break;
    }
  }
  return true;
}

/** Where the string ends that begins at a quote. */
function endOfString(bytes: Uint8Array, quote: number): number {
  let at = quote + 1;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}
