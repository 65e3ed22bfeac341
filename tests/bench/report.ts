import { availableParallelism, cpus, totalmem } from "node:os";
import process from "node:process";

/** One measured figure beside its control, both from the same run. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  readonly control: { readonly name: string; readonly value: number };
  /** What is wanted of the value, or of the value as a multiple of the control's. */
  readonly target?: { readonly of: "value" | "ratio"; readonly most?: number; readonly least?: number };
}

function ratioOf({ value, control }: Figure): number {
  return value / control.value;
}

/** Undefined where nothing is wanted. */
function isMet(figure: Figure): boolean | undefined {
  const { target, value } = figure;
  if (!target) return undefined;
  const measured = target.of === "value" ? value : ratioOf(figure);
  return measured <= (target.most ?? Infinity) && measured >= (target.least ?? -Infinity);
}

function wanted({ target }: Figure): string {
  if (!target) return "";
  const bound = target.most === undefined ? `≥ ${target.least}` : `≤ ${target.most}`;
  return target.of === "value" ? bound : `${bound} ×`;
}

function short(number: number): string {
  if (number >= 1000) return Math.round(number).toLocaleString("en");
  return number >= 100 ? number.toFixed(0) : number.toFixed(2);
}

export function machine() {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
  };
}

/** Rows in columns of equal width; the first column is left-aligned. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ");
  return rows.map(line).join("\n");
}

function mark(figure: Figure): string {
  const met = isMet(figure);
  if (met === undefined) return "";
  return met ? "✓" : "✗";
}

/** The figures for people. */
export function asTable(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.name,
    short(figure.value),
    figure.unit,
    short(figure.control.value),
    `${ratioOf(figure).toFixed(2)} ×`,
    wanted(figure),
    mark(figure),
    figure.control.name,
  ]);
  return table([["", "ours", "", "control", "ratio", "wanted", "", "control is"], ...rows]);
}

/** The figures for machines. */
export function asJson(figures: readonly Figure[]): string {
  const all = figures.map((figure) => ({ ...figure, ratio: ratioOf(figure), met: isMet(figure) }));
  return JSON.stringify({ machine: machine(), figures: all }, null, 2);
}
