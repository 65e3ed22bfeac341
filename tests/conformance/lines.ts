import type { ExecutionUpdate, Value } from "../../protocol/index.ts";
import type { Line } from "./case.ts";

/** The updates of each path in order, without times and ids, as fixtures write them. */
export function linesOf(updates: readonly ExecutionUpdate[]): Map<string, Line[]> {
  const paths = new Map<string, Line[]>();
  for (const update of updates) {
    if (!("nodeId" in update)) continue;
    const line = lineOf(update);
    if (!line) continue;
    const lines = paths.get(update.nodeId) ?? [];
    paths.set(update.nodeId, lines);
    const joined = line[0] === "append" ? joinedTo(lines.at(-1), line) : undefined;
    if (joined) lines[lines.length - 1] = joined;
    else lines.push(line);
  }
  return paths;
}

type NodeUpdate = Extract<ExecutionUpdate, { nodeId: string }>;

function lineOf(update: NodeUpdate): Line | null {
  switch (update.type) {
    case "node-started":
      return withMore(["started"], { ...attemptOf(update), ...(update.effectful && { effectful: true }) });
    case "node-output": {
      const place = update.index === undefined ? {} : { index: update.index };
      return withMore([update.mode, update.handle, update.value], { ...place, ...attemptOf(update) });
    }
    case "node-completed":
      return withMore(["completed"], { ...attemptOf(update), ...(update.withheld && { withheld: true }) });
    case "node-failed":
      return withMore(["failed", update.error.code], {
        ...attemptOf(update),
        ...(update.willRetry && { willRetry: true }),
        ...(update.handled && { handled: update.handled }),
      });
    case "node-reset":
      return ["reset", update.attempt];
    case "node-skipped":
      return ["skipped", update.reason];
    case "node-reused":
      return ["reused"];
    case "input-requested":
      return withMore(["asked", update.tool, update.args], {
        ...(update.schema !== undefined && { schema: update.schema }),
        ...(update.rejected !== undefined && { rejected: true }),
      });
    default:
      return null;
  }
}

const attemptOf = ({ attempt }: { readonly attempt: number }) => (attempt === 1 ? {} : { attempt });

function withMore(line: Line, more: Record<string, Value>): Line {
  return Object.keys(more).length > 0 ? [...line, more] : line;
}

function joinedTo(last: Line | undefined, line: Line): Line | undefined {
  if (last?.[0] !== "append" || last[1] !== line[1]) return undefined;
  const [a, b] = [last[2], line[2]];
  if (typeof a === "string" && typeof b === "string") return last.with(2, a + b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return last.with(2, Uint8Array.of(...a, ...b));
  return undefined;
}
