import { failure } from "./failure.ts";
import type { Guard } from "./guard.ts";
import { Opaque } from "./isolate.ts";
import { isCallable, MAX_WEIGHT } from "./weight.ts";

/** Functions over lists and objects that the evaluator has in a form that is slow, unbounded, random or blind to bytes. */
export const listFunctions: Readonly<Record<string, Guard>> = {
  // The evaluator passes all numbers as arguments, and the stack has no room for a hundred thousand.
  max: ({ args: [list] }) => extreme(list, Math.max),
  min: ({ args: [list] }) => extreme(list, Math.min),

  random: ({ evaluation }) => evaluation.random(),

  shuffle({ args: [list], evaluation }) {
    if (!Array.isArray(list) || list.length <= 1) return list;
    const result = [...list];
    for (let i = result.length - 1; i > 0; i--) {
      const j = Math.floor(evaluation.random() * (i + 1));
      [result[i], result[j]] = [result[j], result[i]];
    }
    return result;
  },

  sort({ args, focus, evaluation }) {
    const [list, comparator] = args as [unknown, Comparator | undefined];
    if (!Array.isArray(list) || list.length <= 1) return list;
    if (comparator !== undefined) {
      return mergeSort(list, async (a, b) => (await comparator.apply(focus, [a, b])) === true);
    }
    const type = typeof list[0];
    if ((type !== "number" && type !== "string") || list.some((item) => typeof item !== type)) {
      throw failure("$sort without a function takes only a list of numbers or a list of texts");
    }
    evaluation.meter.charge((list.length * Math.log2(list.length)) / 64);
    return [...list].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  },

  // The evaluator compares every element with every other.
  distinct({ args: [list], focus }) {
    if (!Array.isArray(list) || list.length <= 1) return list;
    const result = "sequence" in list ? focus.createSequence() : [];
    const seen = new Set<unknown>();
    for (const item of list) {
      const key = identity(item);
      if (seen.has(key)) continue;
      seen.add(key);
      result.push(item);
    }
    return result;
  },

  // The evaluator copies what it has so far for each element.
  spread({ args: [value], focus }) {
    const spread = (inner: unknown): unknown => {
      if (Array.isArray(inner)) {
        const result: unknown[] = [];
        let found = false;
        for (const item of inner) {
          const parts = spread(item);
          if (parts === undefined) continue;
          found = true;
          if (Array.isArray(parts)) for (const part of parts) result.push(part);
          else result.push(parts);
        }
        return found ? result : focus.createSequence();
      }
      if (typeof inner !== "object" || inner === null || isCallable(inner)) return inner;
      const result = focus.createSequence();
      for (const [key, part] of Object.entries(inner)) result.push(single(key, part));
      return result;
    };
    return spread(value);
  },

  // The evaluator goes through JSON, which loses bytes.
  clone: ({ args: [value] }) => clone(value),
};

/** The operator `..`: whole numbers from one to another. */
export const range: Guard = ({ args: [from, to], evaluation }) => {
  for (const end of [from, to]) {
    if (end !== undefined && !Number.isInteger(end))
      throw failure(`".." takes whole numbers, not ${typeof end === "number" ? end : typeof end}`);
  }
  if (from === undefined || to === undefined) return undefined;
  const [first, last] = [from as number, to as number];
  if (first > last) return undefined;
  const size = last - first + 1;
  if (size > MAX_WEIGHT) throw failure(`".." makes a list of more than ${MAX_WEIGHT} numbers`);
  evaluation.meter.charge(size / 16);
  const list = Array.from({ length: size }, (_, index) => first + index);
  return Object.assign(list, { sequence: true });
};

type Comparator = (this: unknown, a: unknown, b: unknown) => unknown;

function extreme(list: unknown, pick: (a: number, b: number) => number): number | undefined {
  if (!Array.isArray(list) || list.length === 0) return undefined;
  let found: number = list[0];
  for (const item of list) found = pick(found, item);
  return found;
}

/** Stable; `after` says whether `a` belongs behind `b`. */
async function mergeSort(
  list: readonly unknown[],
  after: (a: unknown, b: unknown) => Promise<boolean>,
): Promise<unknown[]> {
  let from = [...list];
  let to: unknown[] = new Array(list.length);
  for (let width = 1; width < list.length; width *= 2) {
    for (let start = 0; start < list.length; start += 2 * width) {
      const middle = Math.min(start + width, list.length);
      const end = Math.min(start + 2 * width, list.length);
      let left = start;
      let right = middle;
      for (let at = start; at < end; at++) {
        const takeLeft = left < middle && (right >= end || !(await after(from[left], from[right])));
        to[at] = from[takeLeft ? left++ : right++];
      }
    }
    [from, to] = [to, from];
  }
  return from;
}

/** Equal for values that the evaluator takes for equal, and only for those. */
function identity(value: unknown): unknown {
  if (typeof value !== "object" || value === null || isCallable(value)) return value;
  // Texts are the only other keys that are strings: this prefix tells them from what stands for lists and objects.
  return value instanceof Opaque || Array.isArray(value) || hasKeys(value)
    ? `\u0000${canonical(value)}`
    : "\u0000{}";
}

function hasKeys(value: object): boolean {
  for (const _key in value) return true;
  return false;
}

function canonical(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? "0" : String(value);
  if (value instanceof Opaque) return `<${value.bytes.join()}>`;
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join()}}`;
}

function single(key: string, value: unknown): Record<string, unknown> {
  return Object.fromEntries([[key, value]]);
}

function clone(value: unknown): unknown {
  if (typeof value !== "object" || value === null || value instanceof Opaque || isCallable(value))
    return value;
  if (Array.isArray(value)) return value.map(clone);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, clone(inner)]));
}
