import { MatcherInput, RE2JS } from "re2js";
import type { Meter } from "./meter.ts";

/** Instructions of a compiled pattern. */
const MAX_PROGRAM = 2_000;
const MAX_GROUPS = 64;
/** Characters of a pattern. */
const MAX_PATTERN = 2_000;
/** Reading this many characters costs a step; each instruction of the pattern may have to look at each of them. */
const READS_PER_STEP = 32;

/** Counts what a match reads: how far it looks beyond its own end can't be known beforehand. */
class MeteredText extends String {
  meter: Meter | null = null;
  cost = 1;

  override charCodeAt(index: number): number {
    this.meter?.charge(this.cost);
    return super.charCodeAt(index);
  }

  override indexOf(text: string, from?: number): number {
    const found = super.indexOf(text, from);
    this.meter?.charge((((found === -1 ? this.length : found) - (from ?? 0)) * 1) / 1024);
    return found;
  }
}

const compiled = new WeakMap<RegExp, RE2JS>();

/**
 * The same pattern for an engine whose time is linear in the text. Throws for what such engines don't have, like
 * backreferences.
 */
export function linearPattern(pattern: RegExp): RE2JS {
  let linear = compiled.get(pattern);
  if (linear === undefined) {
    if (pattern.source.length > MAX_PATTERN) throw new SyntaxError("it is too long");
    linear = RE2JS.compile(RE2JS.translateRegExp(pattern));
    if (linear.programSize() > MAX_PROGRAM) throw new SyntaxError("it is too large");
    if (linear.groupCount() > MAX_GROUPS) throw new SyntaxError("it has too many groups");
    compiled.set(pattern, linear);
  }
  return linear;
}

/** What the evaluator needs of a `RegExp`: `exec` from `lastIndex` on, as with the flag `g`. */
export class LinearRegExp {
  lastIndex = 0;
  readonly #pattern: RE2JS;
  readonly #meter: Meter;

  constructor(pattern: RegExp, meter: Meter) {
    this.#pattern = linearPattern(pattern);
    this.#meter = meter;
  }

  exec(text: string): RegExpExecArray | null {
    this.#meter.charge(2);
    const metered = new MeteredText(text);
    metered.meter = this.#meter;
    metered.cost = (1 + this.#pattern.programSize() / 16) / READS_PER_STEP;
    const matcher = this.#pattern.matcher(MatcherInput.utf16(metered));
    if (this.lastIndex > text.length || !matcher.find(this.lastIndex)) {
      this.lastIndex = 0;
      return null;
    }
    const groups: (string | undefined)[] = [];
    for (let group = 0; group <= matcher.groupCount(); group++) {
      const start = matcher.start(group);
      groups.push(start < 0 ? undefined : text.slice(start, matcher.end(group)));
    }
    this.lastIndex = matcher.end();
    return Object.assign(groups, { index: matcher.start(), input: text }) as RegExpExecArray;
  }
}

/** A `RegExp` for one evaluation. */
export function boundRegExp(meter: Meter): RegExpConstructor {
  class BoundRegExp extends LinearRegExp {
    constructor(pattern: RegExp) {
      super(pattern, meter);
    }
  }
  return BoundRegExp as unknown as RegExpConstructor;
}
