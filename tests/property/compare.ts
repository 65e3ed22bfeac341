import { isDeepStrictEqual } from "node:util";
import {
  type ExecutionState,
  type ExecutionUpdate,
  isTerminal,
  type Value,
  type Workflow,
} from "../../protocol/index.ts";
import { liveSources, locate } from "../support/located.ts";
import type { PathState } from "../support/path-states.ts";
import type { Reference } from "../support/reference.ts";
import type { Verdict } from "../support/rules.ts";

/** Where what the engine did differs from what the reference evaluator says. */
export function compare(
  workflow: Workflow,
  reference: Reference,
  updates: readonly ExecutionUpdate[],
  { paths, early }: Verdict,
): string[] {
  const problems: string[] = [];
  // Had those sources failed first, their reader would have been skipped. Which comes first is free.
  if (early) return problems;
  const terminal = updates.at(-1);
  if (!terminal || !isTerminal(terminal)) return ["no terminal update to compare"];
  const status = terminal.type.slice("execution-".length);
  if (status !== reference.status) {
    const error =
      terminal.type === "execution-failed" ? ` (${terminal.error.code}: ${terminal.error.message})` : "";
    return [`the run ${status}${error} and should have ${reference.status}`];
  }
  if (
    terminal.type === "execution-completed" &&
    !isDeepStrictEqual(plain(terminal.outputs), plain(reference.outputs))
  ) {
    problems.push(`outputs ${show(terminal.outputs)} and not ${show(reference.outputs)}`);
  }
  if (terminal.type === "execution-failed" && !reference.codes.has(terminal.error.code)) {
    problems.push(`error ${terminal.error.code} and not one of ${[...reference.codes].join()}`);
  }
  if (terminal.type === "execution-suspended") {
    const strange = terminal.pending.filter((path) => !reference.pending.includes(path));
    if (strange.length > 0) problems.push(`pending ${strange.join()}, which has nothing to ask`);
  }
  for (const [path, state] of paths) {
    if (state.status !== "completed" && state.status !== "skipped") continue;
    const expected = reference.nodes.get(path);
    // Scopes are no nodes of their own to the reference.
    if (!expected) continue;
    // Inside of what has not completed, a stream may still have been read that is to be withdrawn.
    if (!settled(path, paths)) continue;
    // Skipped by what had come until then, before the failure that would have kept it from being reached.
    if (expected.status === "unreached" && state.status === "skipped") continue;
    // Skipped for another input, when one that it reads live had begun and was still to fail.
    if (expected.status === "skipped" && state.status === "skipped" && readsLive(workflow, path)) continue;
    problems.push(...differences(path, state, expected));
  }
  if (terminal.type === "execution-completed") {
    for (const [path, { status: expected }] of reference.nodes) {
      const seen = paths.get(path)?.status;
      if (seen !== expected && !reused(path, paths))
        problems.push(`${path} is ${seen} and should be ${expected}`);
    }
  }
  return problems;
}

function readsLive(workflow: Workflow, path: string): boolean {
  const located = locate(workflow, path);
  return located !== undefined && liveSources(located).length > 0;
}

function differences(
  path: string,
  state: PathState,
  expected: NonNullable<ReturnType<Reference["nodes"]["get"]>>,
) {
  if (state.status !== expected.status)
    return [`${path} is ${state.status} and should be ${expected.status}`];
  if (state.status === "skipped") {
    return state.reason === expected.reason
      ? []
      : [`${path} is skipped as ${state.reason}, not ${expected.reason}`];
  }
  const outputs = Object.fromEntries([...state.outputs].map(([handle, folding]) => [handle, folding.value]));
  if (isDeepStrictEqual(withoutMessage(outputs), withoutMessage(expected.outputs))) return [];
  return [`${path} gave ${show(outputs)} and not ${show(expected.outputs)}`];
}

/** Where `fold` makes something else of the stream than the rules do, or brings back something else than was reused. */
export function compareFold(
  state: ExecutionState,
  paths: ReadonlyMap<string, PathState>,
  reference?: Reference,
): string[] {
  const problems: string[] = [];
  for (const [path, { status, outputs }] of paths) {
    const folded = state.nodes.get(path);
    if (status === "withdrawn" && folded && Object.keys(folded.outputs).length > 0) {
      problems.push(`fold keeps ${show(folded.outputs)} of ${path}, which was withdrawn`);
    }
    if (status !== "completed") continue;
    const expected = Object.fromEntries([...outputs].map(([handle, folding]) => [handle, folding.value]));
    if (folded?.status !== "completed" || !equal(folded.outputs, expected)) {
      problems.push(
        `fold has ${folded?.status} ${show(folded?.outputs ?? null)} for ${path}, not ${show(expected)}`,
      );
    }
  }
  if (!reference || state.status !== "completed") return problems;
  for (const [path, expected] of reference.nodes) {
    if (path.includes("/") || expected.status !== "completed") continue;
    const folded = state.nodes.get(path)?.outputs;
    if (folded && equal(withoutMessage(folded), withoutMessage(expected.outputs))) continue;
    problems.push(`in the end ${path} has ${show(folded ?? null)} and not ${show(expected.outputs)}`);
  }
  return problems;
}

/** The messages of errors are free. */
function withoutMessage(outputs: Readonly<Record<string, Value | undefined>>): unknown {
  const error = outputs["error"] as { code?: string } | undefined;
  return plain(error?.code === undefined ? outputs : { ...outputs, error: error.code });
}

function settled(path: string, paths: ReadonlyMap<string, PathState>): boolean {
  const top = path.split("/", 1)[0] as string;
  return top === path || paths.get(top)?.status === "completed";
}

function reused(path: string, paths: ReadonlyMap<string, PathState>): boolean {
  for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) {
    if (paths.get(path.slice(0, end))?.status === "reused") return true;
  }
  return false;
}

/** Equal as values, whatever prototype their objects have. */
export function equal(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(plain(a), plain(b));
}

/** Values as they are, whatever prototype their objects have. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value, "bytes"];
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}

function show(value: unknown): string {
  const text = JSON.stringify(plain(value));
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
