import { failure } from "./failure.ts";
import type { Meter } from "./meter.ts";

/** Values that a value may hold, each text counted once more for every so many characters … */
export const MAX_WEIGHT = 2_000_000;
/** … which is this many: one text alone may be 16 million characters long. */
const CHARS_PER_UNIT = 8;
const MAX_DEPTH = 256;
/** Depth and weight share one number, the weight in the lower digits. */
const DEPTH_UNIT = 2 ** 32;
/** Looking at this many values costs a step. */
const VALUES_PER_STEP = 16;

export const MAX_CHARS = MAX_WEIGHT * CHARS_PER_UNIT;

/** Throws unless a text of so many characters may be made. */
export function allowText(length: number): void {
  // Written so that NaN is refused too.
  if (!(length <= MAX_CHARS))
    throw failure(`The expression makes a text of more than ${MAX_CHARS} characters`);
}

/**
 * Keeps values within bounds. A list that holds itself twice at each of fifty levels is small in memory and endless for
 * everyone who walks it, so each value is weighed as if nothing in it were shared. Weights are remembered: a value is
 * weighed once, when it first appears.
 */
export class Scales {
  readonly #known = new WeakMap<object, number>();
  readonly #meter: Meter;

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  /** Throws if the value is too heavy or nested too deeply. Looking costs steps. */
  weigh(value: unknown): number {
    if (typeof value === "string") return this.#text(value);
    if (typeof value !== "object" || value === null) return 1;
    const known = this.#known.get(value);
    if (known !== undefined) return known % DEPTH_UNIT;
    const weight = this.#object(value, 0) % DEPTH_UNIT;
    this.#meter.charge(weight / VALUES_PER_STEP);
    return weight;
  }

  #text(text: string): number {
    allowText(text.length);
    return 1 + Math.floor(text.length / CHARS_PER_UNIT);
  }

  #object(value: object, level: number): number {
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    if (isCallable(value)) return 1;
    if (level > MAX_DEPTH)
      throw failure(`The expression makes a value nested deeper than ${MAX_DEPTH} levels`);
    let weight = 1;
    let depth = 0;
    for (const inner of Array.isArray(value) ? value : ownValues(value)) {
      if (typeof inner === "object" && inner !== null) {
        const packed = this.#object(inner, level + 1);
        weight += packed % DEPTH_UNIT;
        depth = Math.max(depth, Math.floor(packed / DEPTH_UNIT));
      } else {
        weight += typeof inner === "string" ? this.#text(inner) : 1;
      }
      if (weight > MAX_WEIGHT) throw failure(`The expression makes a value of more than ${MAX_WEIGHT} parts`);
    }
    if (depth + 1 > MAX_DEPTH)
      throw failure(`The expression makes a value nested deeper than ${MAX_DEPTH} levels`);
    const packed = (depth + 1) * DEPTH_UNIT + weight;
    // Only what is asked for, and what is shared in it, needs remembering; small things are weighed again.
    if (level === 0 || weight > 8) this.#known.set(value, packed);
    return packed;
  }
}

function ownValues(value: object): readonly unknown[] {
  return Object.values(value);
}

/** True for what the evaluator can call: its own kinds of functions, and ours. */
export function isCallable(value: unknown): boolean {
  if (typeof value === "function") return true;
  if (typeof value !== "object" || value === null) return false;
  return (
    ("_jsonata_lambda" in value && value._jsonata_lambda === true) ||
    ("_jsonata_function" in value && value._jsonata_function === true)
  );
}
