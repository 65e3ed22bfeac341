import type { ExecutionResult, Value } from "../../../protocol/index.ts";
import { explainInfo, printable } from "../problem.ts";
import type { Paint } from "./draw.ts";
import { clip, count, duration, plural } from "./text.ts";

/** Lines of one output that are shown. */
const MAX_LINES = 40;

/** What stands below the board when a run has ended: how it ended, and what it gave. */
export function summary(result: ExecutionResult, paint: Paint, width: number): string[] {
  const { status, metrics, outputs } = result;
  const facts = [
    duration(metrics.durationMs),
    plural(metrics.nodes.completed, "node"),
    ...(metrics.nodes.reused > 0 ? [`${count(metrics.nodes.reused)} reused`] : []),
    ...(metrics.nodes.skipped > 0 ? [`${count(metrics.nodes.skipped)} skipped`] : []),
    ...(metrics.retries > 0 ? [plural(metrics.retries, "retry").replace("retrys", "retries")] : []),
  ].join(" · ");
  const tone = status === "completed" ? "good" : status === "suspended" ? "ask" : "bad";
  const lines = ["", `${paint(tone, status)} ${paint("dim", facts)}`];
  if (result.error) lines.push(...explainInfo(result.error).map((line) => paint("bad", line)));
  for (const [name, value] of Object.entries(outputs)) lines.push(...output(name, value, paint, width));
  return lines;
}

function output(name: string, value: Value, paint: Paint, width: number): string[] {
  const label = paint("bold", printable(name));
  const shown = written(value).split("\n");
  if (shown.at(-1) === "") shown.pop();
  const [first = ""] = shown;
  if (shown.length <= 1 && name.length + 2 + first.length <= width) return [`${label}  ${first}`];
  const cut = shown.length > MAX_LINES ? shown.slice(0, MAX_LINES) : shown;
  const lines = [label, ...cut.map((line) => `  ${clip(line, width - 2)}`)];
  if (cut.length < shown.length) {
    lines.push(
      paint("dim", `  … ${plural(shown.length - cut.length, "more line")}; --json gives everything`),
    );
  }
  return lines;
}

function written(value: Value): string {
  if (typeof value === "string") return printable(value.replaceAll("\r\n", "\n"));
  if (value instanceof Uint8Array) return plural(value.byteLength, "byte");
  return printable(pretty(value, 0));
}

/** JSON that is broken into lines only where it is too long for one. */
function pretty(value: Value, indent: number): string {
  const flat = JSON.stringify(value, (_key, inner: unknown) =>
    inner instanceof Uint8Array ? plural(inner.byteLength, "byte") : inner,
  );
  if (
    flat.length + indent <= 76 ||
    typeof value !== "object" ||
    value === null ||
    value instanceof Uint8Array
  ) {
    return flat;
  }
  const inner = " ".repeat(indent + 2);
  const [open, close, parts] = Array.isArray(value)
    ? ["[", "]", value.map((element: Value) => pretty(element, indent + 2))]
    : [
        "{",
        "}",
        Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${pretty(one, indent + 2)}`),
      ];
  return `${open}\n${parts.map((part) => inner + part).join(",\n")}\n${" ".repeat(indent)}${close}`;
}
