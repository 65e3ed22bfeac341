import stringWidth from "string-width";
import { printable } from "../problem.ts";

/** The columns that a text takes on a terminal. */
export const columns = (text: string): number => stringWidth(text);

const SEGMENTS = new Intl.Segmenter();

/** Cuts text to at most `width` columns; what is cut is shown as an ellipsis. */
export function clip(text: string, width: number): string {
  if (width <= 0) return "";
  if (stringWidth(text) <= width) return text;
  let kept = "";
  let used = 0;
  for (const { segment } of SEGMENTS.segment(text)) {
    const columns = stringWidth(segment);
    if (used + columns > width - 1) break;
    kept += segment;
    used += columns;
  }
  return `${kept}…`;
}

/** The end of a text in at most `width` columns, on one line. */
export function tail(text: string, width: number): string {
  if (width <= 0) return "";
  // A column holds at least half a character; a segment has few: a little more than needed is looked at.
  const line = printable(text.slice(-4 * width))
    .replaceAll(/\s+/g, " ")
    .trim();
  if (text.length <= 4 * width && stringWidth(line) <= width) return line;
  const segments = [...SEGMENTS.segment(line)].map(({ segment }) => segment);
  let kept = "";
  let used = 0;
  while (segments.length > 0) {
    const segment = segments.pop() as string;
    used += stringWidth(segment);
    if (used > width - 1) break;
    kept = segment + kept;
  }
  return `…${kept}`;
}

/** Fills up with blanks to `width` columns. */
export function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - stringWidth(text)));
}

export function padStart(text: string, width: number): string {
  return " ".repeat(Math.max(0, width - stringWidth(text))) + text;
}

/** A duration as people read it: `3 ms`, `1.2 s`, `4 min 05 s`. */
export function duration(ms: number): string {
  if (ms < 1) return "<1 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
}

const GROUPED = new Intl.NumberFormat("en-US");

export function count(n: number): string {
  return GROUPED.format(n);
}

/** `1 node`, `2 nodes`. */
export function plural(n: number, word: string): string {
  return `${count(n)} ${word}${n === 1 ? "" : "s"}`;
}

/** A bar of `width` columns, filled to a share between 0 and 1. */
export function bar(share: number, width: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * width);
  return "━".repeat(filled) + "╌".repeat(width - filled);
}
