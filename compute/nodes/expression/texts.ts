import { failure } from "./failure.ts";
import type { Guard } from "./guard.ts";
import { allowText } from "./weight.ts";

/** Pieces of a split text, elements of a list. */
const MAX_PIECES = 1_000_000;
/** Pictures say how numbers and dates are written. */
export const MAX_PICTURE = 256;
const CHARS_PER_STEP = 64;

/** What a regular expression, or a function in its place, finds. */
interface Match {
  readonly match: string;
  readonly start: number;
  readonly end: number;
  readonly groups: readonly string[];
  readonly next: () => Match | undefined | Promise<Match | undefined>;
}
type Matcher = (text?: string) => Match | undefined | Promise<Match | undefined>;

/** Functions over text whose result can be far larger than their arguments. */
export const textFunctions: Readonly<Record<string, Guard>> = {
  pad({ args, evaluation }) {
    const [text, width, pad] = args as [string | undefined, number, string | undefined];
    if (text === undefined) return undefined;
    const missing = Math.abs(Math.trunc(width)) - length(text);
    if (missing <= 0) return text;
    allowText(text.length + missing);
    evaluation.meter.charge(missing / CHARS_PER_STEP);
    const characters = pad ? [...pad] : [" "];
    const rest = characters.slice(0, missing % characters.length).join("");
    const padding = characters.join("").repeat(Math.floor(missing / characters.length)) + rest;
    return width > 0 ? text + padding : padding + text;
  },

  // The evaluator makes a list of all characters to count or to cut them.
  length: ({ args: [text] }) => (typeof text === "string" ? length(text) : undefined),

  substring({ args }) {
    const [text, start, count] = args as [string | undefined, number, number | undefined];
    if (text === undefined) return undefined;
    if (count !== undefined && count <= 0) return "";
    const size = length(text);
    const from = Math.trunc(start >= 0 ? start : Math.max(0, size + start));
    const to =
      count === undefined
        ? size
        : Math.trunc((start >= 0 || size + start < 0 ? Math.max(0, start) : size + start) + count);
    if (size === text.length) return text.slice(from, Math.max(from, to));
    return [...characters(text, from, to)].join("");
  },

  join({ args, original, evaluation }) {
    const [list, separator] = args as [readonly string[] | undefined, string | undefined];
    if (list === undefined) return undefined;
    let length = (separator?.length ?? 0) * Math.max(0, list.length - 1);
    for (const text of list) length += text.length;
    allowText(length);
    evaluation.meter.charge(length / CHARS_PER_STEP);
    return original(...args);
  },

  split({ args, original }) {
    const [text, separator, limit] = args as [string | undefined, unknown, number | undefined];
    if (limit !== undefined && limit <= MAX_PIECES) return original(...args);
    return settled(original(text, separator, MAX_PIECES + 1), (pieces) => {
      if (Array.isArray(pieces) && pieces.length > MAX_PIECES)
        throw failure(`$split gives more than ${MAX_PIECES} pieces`);
      return pieces;
    });
  },

  replace({ args, original, evaluation }) {
    const [text, pattern, replacement, limit] = args as [string?, (string | Matcher)?, unknown?, number?];
    if (text === undefined || typeof replacement !== "string") return original(...args);
    const { meter } = evaluation;
    if (typeof pattern === "string") {
      const found = Math.min(limit ?? Number.POSITIVE_INFINITY, occurrences(text, pattern));
      allowText(text.length + Math.max(0, found * (replacement.length - pattern.length)));
      meter.charge(found / 4);
      return original(...args);
    }
    if (typeof pattern !== "function") return original(...args);
    // Each `$` may stand for the whole match, and all matches together are no longer than the text.
    let length = text.length * (1 + occurrences(replacement, "$"));
    allowText(length);
    const watched = watch(pattern, () => {
      length += replacement.length;
      allowText(length);
      meter.charge(1 + replacement.length / CHARS_PER_STEP);
    });
    return original(text, watched, replacement, limit);
  },

  string({ args, original, evaluation }) {
    const [value, pretty] = args;
    // Indentation grows with depth; escapes make six characters of one.
    if (pretty === true) allowText(evaluation.scales.weigh(value) * 16);
    return original(...args);
  },

  base64encode({ args: [text] }) {
    if (typeof text !== "string") return undefined;
    try {
      return btoa(text);
    } catch {
      throw failure("$base64encode takes characters up to U+00FF only");
    }
  },

  base64decode({ args: [text] }) {
    if (typeof text !== "string") return undefined;
    try {
      return atob(text);
    } catch {
      throw failure("$base64decode is given something else than base64");
    }
  },

  formatNumber({ args, original }) {
    const [, picture, options] = args;
    allowPicture(picture);
    if (typeof options === "object" && options !== null) {
      for (const [key, value] of Object.entries(options)) {
        const free = key === "infinity" || key === "NaN";
        // The search for an empty separator finds it everywhere, for ever.
        if (typeof value !== "string" || value.length > 32 || (!free && [...value].length !== 1)) {
          throw failure(`$formatNumber: the option "${key}" must be one character`);
        }
      }
    }
    return original(...args);
  },
};

/** The number of characters, two units that make one counted once. */
function length(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length - 1; i++) {
    if (!isHigh(text.charCodeAt(i)) || !isLow(text.charCodeAt(i + 1))) continue;
    count -= 1;
    i += 1;
  }
  return count;
}

function* characters(text: string, from: number, to: number): Generator<string> {
  let at = 0;
  for (const character of text) {
    if (at >= to) return;
    if (at >= from) yield character;
    at += 1;
  }
}

const isHigh = (unit: number) => unit >= 0xd800 && unit <= 0xdbff;
const isLow = (unit: number) => unit >= 0xdc00 && unit <= 0xdfff;

export function allowPicture(picture: unknown): void {
  if (typeof picture === "string" && picture.length > MAX_PICTURE) {
    throw failure(`A picture is longer than ${MAX_PICTURE} characters`);
  }
}

function occurrences(text: string, part: string): number {
  if (part === "") return 0;
  let count = 0;
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + part.length)) count += 1;
  return count;
}

/** The same matcher, telling of each match. */
function watch(matcher: Matcher, onMatch: () => void): Matcher {
  const told = (match: Match | undefined): Match | undefined => {
    if (match === undefined) return undefined;
    onMatch();
    const { next } = match;
    return typeof next === "function" ? { ...match, next: () => settled(next(), told) } : match;
  };
  return (text) => settled(matcher(text), told);
}

/** Goes on with a value that may be there already. */
export function settled<In, Out>(value: In | Promise<In>, next: (value: In) => Out): Out | Promise<Out> {
  return value instanceof Promise ? value.then(next) : next(value);
}
