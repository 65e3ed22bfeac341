import { deepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import type { Value } from "../../../protocol/index.ts";

/** Keys that have gone wrong somewhere: markers, names on prototypes, hooks that serialisers call. */
const nastyKey = fc.constantFrom(
  "$bytes",
  "$$bytes",
  "$secret",
  "$$secret",
  "$",
  "",
  "constructor",
  "prototype",
  "toString",
  "toJSON",
  "length",
  "0",
  "a/b~c",
);
const key = fc.oneof(nastyKey, fc.string({ maxLength: 8 })).filter((name) => name !== "__proto__");
/** Well-formed, as MessagePack can't hold half a surrogate pair. */
const text = fc.string({ unit: "binary", maxLength: 40 });
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.maxSafeInteger(),
);
/** JSON has no negative zero: it is read back as zero. */
const finite = number.map((value) => (Object.is(value, -0) ? 0 : value));

/** Any value, with a taste for what serialisers get wrong. */
export const anyValue: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthIdentifier: "value" },
    fc.oneof(text, finite, fc.boolean(), fc.constant(null), fc.uint8Array({ maxLength: 20 })),
    fc.array(tie("value"), { maxLength: 5, depthIdentifier: "value" }),
    fc.dictionary(key, tie("value"), { maxKeys: 4, depthIdentifier: "value", noNullPrototype: true }),
  ),
})).value;

/** Cuts a list anywhere, into pieces that may be empty. */
export function cut<T extends { slice(from: number, to: number): T; readonly length: number }>(
  whole: T,
  cuts: readonly number[],
): T[] {
  const at = [
    0,
    ...cuts.map((share) => Math.floor(share * whole.length)).sort((a, b) => a - b),
    whole.length,
  ];
  return at.slice(1).map((end, i) => whole.slice(at[i]!, end));
}

export const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

/** The error that `action` throws, as code and message. */
export function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return String((error as { readonly code?: unknown }).code ?? error);
  }
  return "nothing thrown";
}

/** Equal with prototypes and all. Vitest's own `toStrictEqual` takes a key `constructor` for the class of an object. */
export function same(actual: unknown, expected: unknown): void {
  deepStrictEqual(actual, expected);
}
