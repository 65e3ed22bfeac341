import type { Kind, Value } from "../../protocol/index.ts";

const PIECE = 64 * 1024;

/** A folded value as emissions again: items one by one, text and bytes in slices. */
export function piecesOf(value: Value, kind: Kind): Value[] {
  if (kind === "items") return Array.isArray(value) ? [...value] : [value];
  if (typeof value === "string") return [...textPieces(value, PIECE)];
  if (value instanceof Uint8Array) return [...bytesPieces(value, PIECE)];
  return [value];
}

/** Cuts text into pieces of at most `size` UTF-16 units, never inside a surrogate pair. */
export function* textPieces(text: string, size: number): Iterable<string> {
  for (let at = 0; at < text.length; ) {
    let end = Math.min(at + size, text.length);
    if (end < text.length && end - at > 1 && isHighSurrogate(text.charCodeAt(end - 1))) end -= 1;
    yield text.slice(at, end);
    at = end;
  }
}

export function* bytesPieces(bytes: Uint8Array, size: number): Iterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

/** Emissions as the value of their handle. Items that came out of order stand in that of their places. */
export function foldOf(kind: Kind, entries: readonly Value[], places: readonly number[] | null): Value {
  if (kind === "value") return null;
  if (kind === "items") {
    if (!places) return entries;
    const order = entries.map((_, at) => at).sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0));
    return order.map((at) => entries[at] as Value);
  }
  if (entries.length === 1 && typeof entries[0] === (kind === "text" ? "string" : "object"))
    return entries[0] as Value;
  if (kind === "text") return entries.join("");
  return concat(entries as readonly Uint8Array[]);
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
