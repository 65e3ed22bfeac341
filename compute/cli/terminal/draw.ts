import { printable } from "../problem.ts";
import type { Row, RowStatus, Score } from "./board.ts";
import { bar, clip, columns, count, duration, pad, padStart, plural, tail } from "./text.ts";

export type Tone = "plain" | "dim" | "bold" | "good" | "bad" | "busy" | "ask";
/** Colours text, or leaves it where colours are not wanted. */
export type Paint = (tone: Tone, text: string) => string;

export interface Screen {
  readonly width: number;
  /** Lines that may be used. */
  readonly height: number;
  readonly paint: Paint;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const GLYPHS: Readonly<Record<RowStatus, readonly [glyph: string, tone: Tone]>> = {
  waiting: ["·", "dim"],
  running: ["●", "busy"],
  asking: ["?", "ask"],
  completed: ["✓", "good"],
  failed: ["✗", "bad"],
  skipped: ["–", "dim"],
  reused: ["↺", "good"],
};

/** Columns of the longest duration: `59 min 59 s`. */
const TIME = 11;
const MAX_NAME = 28;
const BAR = 20;
/** Below this many columns a row is only its glyph and name. */
const NARROW = 36;

/** The board as lines, at most `screen.height` of them, none wider than the screen. */
export function draw(score: Score, screen: Screen): string[] {
  const { board } = score;
  const head = [title(score, screen)];
  if (board.notice !== null) head.push(screen.paint("ask", clip(printable(board.notice), screen.width)));
  const room = Math.max(1, screen.height - head.length);
  const shown = choose(board.rows, room);
  // A third of the screen at most, so that there is room for what a row says.
  const widest = Math.min(MAX_NAME, Math.floor(screen.width / 3));
  const names = shown.map((row) => columns(printable(row.id) + labelOf(row, widest)));
  const name = Math.min(widest, Math.max(4, ...names));
  const lines = shown.map((row) => line(row, score, name, screen));
  if (shown.length < board.rows.length) lines.push(rest(board.rows, new Set(shown), screen));
  return [...head, ...lines];
}

function title({ board }: Score, screen: Screen): string {
  const done = board.rows.filter(
    (row) => row.durationMs !== null || row.status === "skipped" || row.status === "reused",
  );
  const elapsed = board.durationMs ?? (board.startedAt === null ? null : screen.now - board.startedAt);
  const time = elapsed === null ? "" : ` · ${duration(elapsed)}`;
  const right = `${count(done.length)}/${count(board.rows.length)}${time}`;
  const left = clip(printable(board.title), Math.max(4, screen.width - right.length - 2));
  const gap = screen.width - right.length;
  if (gap < 6) return screen.paint("bold", left);
  return screen.paint("bold", pad(left, gap)) + screen.paint("dim", right);
}

function line(row: Row, score: Score, nameWidth: number, screen: Screen): string {
  const { width, paint } = screen;
  const [glyph, tone] = GLYPHS[row.status];
  const quiet = row.status === "waiting" || row.status === "skipped";
  const name = clip(printable(row.id), width < NARROW ? Math.max(1, width - 2) : nameWidth);
  const start = `${paint(tone, glyph)} ${paint(quiet ? "dim" : "plain", name)}`;
  if (width < NARROW) return start;
  const label = labelOf(row, nameWidth);
  const named = `${start}${paint("dim", label)}${pad("", nameWidth - columns(name + label))}`;
  const time = timeOf(row, screen.now);
  const room = width - nameWidth - 2 - TIME - 3;
  const [text, textTone] = detail(row, score, room);
  return `${named} ${paint(textTone, pad(clip(text, room), room))} ${paint("dim", padStart(time, TIME))}`.trimEnd();
}

/** What stands beside an id: the node's label, if there is one and both have room. */
function labelOf({ id, label }: Row, room: number): string {
  const shown = label === "" ? "" : ` ${printable(label).replaceAll(/\s+/g, " ")}`;
  return columns(printable(id) + shown) <= room ? shown : "";
}

function timeOf(row: Row, now: number): string {
  if (row.durationMs !== null) return duration(row.durationMs);
  return row.status === "running" || row.status === "asking"
    ? duration(Math.max(0, now - row.startedAt))
    : "";
}

/** What a row says beside its name: what matters most at the moment. */
function detail(row: Row, score: Score, room: number): [text: string, tone: Tone] {
  if (row.status === "skipped") return [(row.skipped ?? "").replaceAll("-", " "), "dim"];
  if (row.status === "failed" && row.error) return [message(row), "bad"];
  if (row.question !== null && row.status !== "completed") return [`asks ${printable(row.question)}`, "ask"];
  if (row.status === "running" && row.error) return [`again after ${message(row)}`, "bad"];
  const attempt = row.attempt - row.answered;
  const again = attempt > 1 ? ` (attempt ${attempt})` : "";
  const shown = `${amount(row, score, room)}${again}`.trimStart();
  const isGlimpse = row.value !== "" && row.text === "" && row.items === 0;
  return [shown, row.status === "running" && !isGlimpse ? "plain" : "dim"];
}

function amount(row: Row, score: Score, room: number): string {
  const { progress, inside } = row;
  const begun = inside.begun + inside.completed > 0;
  if (row.status === "running" && (progress || begun)) {
    const total = progress?.total ?? (inside.scopes ? score.expected(row) : null);
    return gauge(progress?.completed ?? inside.completed, total, progress?.message ?? "", room);
  }
  if (row.text !== "") return tail(row.text, room);
  if (row.items > 0) return plural(row.items, "item");
  if (row.value !== "") return printable(row.value);
  return begun ? `${count(inside.completed)} ${inside.scopes ? "done" : "nodes"}` : "";
}

function gauge(completed: number, total: number | null, said: string, room: number): string {
  if (total === null || total <= 0) return `${count(completed)} done ${printable(said)}`.trimEnd();
  const figures = `${count(completed)}/${count(total)} ${printable(said)}`.trimEnd();
  const space = Math.min(BAR, room - figures.length - 1);
  return space < 5 ? figures : `${bar(completed / total, space)} ${figures}`;
}

function message(row: Row): string {
  return row.error ? printable(`${row.error.code}: ${row.error.message}`).replaceAll(/\s+/g, " ") : "";
}

/** Which rows come first where not all have room. */
const URGENCY: readonly RowStatus[] = [
  "failed",
  "asking",
  "running",
  "waiting",
  "completed",
  "reused",
  "skipped",
];

/** The rows that are shown, in the board's order. One line is left for the rest, where there is a rest. */
function choose(rows: readonly Row[], room: number): readonly Row[] {
  if (rows.length <= room) return rows;
  const chosen = new Set<Row>();
  for (const status of URGENCY) {
    for (const row of rows) {
      if (chosen.size >= room - 1) break;
      if (row.status === status) chosen.add(row);
    }
  }
  return rows.filter((row) => chosen.has(row));
}

function rest(rows: readonly Row[], shown: ReadonlySet<Row>, screen: Screen): string {
  const counts = new Map<RowStatus, number>();
  for (const row of rows) if (!shown.has(row)) counts.set(row.status, (counts.get(row.status) ?? 0) + 1);
  const text = [...counts].map(([status, n]) => `${count(n)} ${status}`).join(" · ");
  return screen.paint("dim", clip(`  … ${text}`, screen.width));
}
