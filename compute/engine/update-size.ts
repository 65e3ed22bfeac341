import { encodeJson, NodeflowError, type Value } from "../../protocol/index.ts";

/** The most bytes that a unit of weight can take in JSON (`\u0000` for one UTF-16 unit). */
const JSON_PER_UNIT = 6;
/** What names, paths and the frame of an update can take beside its value. */
const FRAME = 8 * 1024;
/** Text and bytes travel in updates of at most this size, and less where the host wants smaller updates. */
const MAX_PIECE = 64 * 1024;

/** How long a piece of text or bytes may be so that its update is not too large. */
export function pieceSize(maxUpdateBytes: number): number {
  return Math.max(1, Math.min(MAX_PIECE, Math.floor((maxUpdateBytes - FRAME) / JSON_PER_UNIT)));
}

/** Throws `OUTPUT_TOO_LARGE` if a value can't travel in one update. Serialises it only where that is in doubt. */
export function checkUpdateSize(value: Value, weight: number, name: string, maxUpdateBytes: number): void {
  if (weight * JSON_PER_UNIT + FRAME <= maxUpdateBytes) return;
  const bytes = new TextEncoder().encode(encodeJson(value)).length;
  if (bytes + FRAME <= maxUpdateBytes) return;
  throw new NodeflowError(
    "OUTPUT_TOO_LARGE",
    `"${name}" takes ${bytes} bytes, and an update may have ${maxUpdateBytes}`,
  );
}
