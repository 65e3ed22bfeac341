import type { Value } from "../../protocol/index.ts";

/** What a doomed attempt marks everything with that it emits: nothing that is settled may contain it. */
export const PROVISIONAL = "~";
export const PROVISIONAL_BYTE = 255;
const MODULUS = 997;

/** A number that says which value this is: a value gone wrong anywhere upstream changes all sums downstream. */
export function weigh(value: Value | undefined): number {
  if (value === undefined) return 1;
  if (value === null) return 2;
  if (typeof value === "boolean") return value ? 3 : 5;
  if (typeof value === "number") return Math.abs(Math.trunc(value)) % MODULUS;
  if (typeof value === "string")
    return fold(
      [...value].map((character) => character.codePointAt(0) ?? 0),
      7,
    );
  if (value instanceof Uint8Array) return fold([...value], 11);
  if (Array.isArray(value)) return fold(value.map(weigh), 13);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return fold(
    entries.map(([key, member]) => (weigh(key) * 31 + weigh(member)) % MODULUS),
    17,
  );
}

function fold(parts: readonly number[], start: number): number {
  return parts.reduce((sum, part) => (sum * 31 + part) % MODULUS, start);
}

/** True if a doomed attempt had a part in making the value. */
export function isProvisional(value: unknown): boolean {
  if (typeof value === "string") return value.includes(PROVISIONAL);
  if (value instanceof Uint8Array) return value.includes(PROVISIONAL_BYTE);
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).some(isProvisional);
}
