import { failure } from "./failure.ts";
import type { Guard } from "./guard.ts";
import { allowPicture } from "./texts.ts";

/** Longer texts are neither dates nor numbers in words. */
const MAX_TEXT = 256;
/** Beyond it a Roman number is a long row of M. */
const MAX_ROMAN = 100_000;
/** More digits than this are no width. */
const WIDE = /,[^\]]*\d{3}/;

/** What stands in for the time of evaluation, from which the evaluator takes the parts of a date that a picture leaves out. */
const EPOCH = new Date(0);

/** Functions over dates and numbers in words: pictures are small programs, and some of them never end. */
export const dateGuards: Readonly<Record<string, Guard>> = {
  formatInteger({ args, original }) {
    const [value, picture] = args as [number | undefined, string | undefined];
    allowPicture(picture);
    if (value !== undefined && Math.abs(value) > MAX_ROMAN && /^i/i.test(picture ?? "")) {
      throw failure(`$formatInteger writes Roman numbers up to ${MAX_ROMAN}`);
    }
    return original(...args);
  },

  parseInteger({ args, original }) {
    const [text, picture] = args;
    allowPicture(picture);
    if (typeof text === "string" && text.length > MAX_TEXT)
      throw failure("$parseInteger is given a long text");
    return original(...args);
  },

  fromMillis({ args, original }) {
    const [, picture] = args;
    allowPicture(picture);
    if (typeof picture === "string" && WIDE.test(picture.replace(/\s/g, ""))) {
      throw failure("$fromMillis: the picture has a width of more than two digits");
    }
    return original(...args);
  },

  toMillis({ args, implementation }) {
    const [text, picture] = args;
    if (typeof text === "string" && text.length > MAX_TEXT) throw failure("$toMillis is given a long text");
    allowPicture(picture);
    if (typeof picture === "string") {
      const problem = ambiguity(picture.replace(/\s/g, ""));
      if (problem !== null) throw failure(`$toMillis: the picture ${problem}`);
    }
    return implementation.apply({ environment: { timestamp: EPOCH } }, args as never[]);
  },
};

const DECIMAL = /^[YMDdFWwXxHhms][0-9#.;:]*[ot]?(?:,[0-9*-]+)?$/;
/** The evaluator finds no width in it. */
const ELASTIC = /#|[,-]0*$/;
const FRACTION = /^f[0-9]*$/;
const ZONE = /^[Zz][0-9:]*t?$/;
const NAME = /^(?:[MxF][Nn]n?(?:,[0-9*-]+)?|P[Nn]?n?)$/;

/**
 * Why a text can be read in several ways by a picture, or null. Reading tries them all, which can take for ever. One way
 * is left if each part ends where the characters that it may consist of end.
 */
function ambiguity(picture: string): string | null {
  if (WIDE.test(picture)) return "has a width of more than two digits";
  const seen = new Set<string>();
  let previous: "digits" | "letters" | "end" = "end";
  let fixed = false;
  let at = 0;
  while (at < picture.length) {
    const open = picture.indexOf("[", at);
    const literal = picture.slice(at, open === -1 ? undefined : open);
    if (literal !== "") {
      if (previous === "digits" && /^[0-9]/.test(literal)) return "has digits after a number";
      if (previous === "letters" && /^[a-z]/i.test(literal)) return "has letters after a name";
      previous = "end";
    }
    if (open === -1) return null;
    if (picture[open + 1] === "[") {
      previous = "end";
      at = open + 2;
      continue;
    }
    const close = picture.indexOf("]", open);
    if (close === -1) return null;
    const marker = picture.slice(open + 1, close);
    const component = marker.charAt(0);
    if (seen.has(component)) return `has two parts [${component}]`;
    seen.add(component);
    const kind = NAME.test(marker) ? "letters" : "digits";
    const zone = ZONE.test(marker);
    if (kind === "digits" && !zone && !DECIMAL.test(marker) && !FRACTION.test(marker)) {
      return `has the part [${marker}], which is read from digits or names only`;
    }
    // A zone begins with its sign. Numbers that follow each other are read by their width, which must be there then.
    if (previous === kind && !zone && !(kind === "digits" && fixed)) {
      return `has nothing between [${marker}] and what is before it`;
    }
    fixed = DECIMAL.test(marker) && !ELASTIC.test(marker);
    previous = kind;
    at = close + 1;
  }
  return null;
}
