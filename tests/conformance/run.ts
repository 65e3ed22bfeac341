import {
  type Checkpoint,
  checkpointOf,
  decodeJson,
  type ExecutionUpdate,
  encodeJson,
  fold,
  type Issue,
  isTerminal,
  type Value,
  type Workflow,
} from "../../protocol/index.ts";
import type { Case, Execute, Expectation, Line, Step, Topic } from "./case.ts";
import { linesOf } from "./lines.ts";

export interface Failure {
  readonly topic: string;
  readonly name: string;
  readonly problems: readonly string[];
}

/** Runs every case of the topics, and tells what didn't come as it should. */
export async function runTopics(topics: readonly Topic[], execute: Execute): Promise<Failure[]> {
  const failures: Failure[] = [];
  for (const { topic, cases } of topics) {
    for (const one of cases) {
      const problems = await runCase(one, execute);
      if (problems.length > 0) failures.push({ topic, name: one.name, problems });
    }
  }
  return failures;
}

/** Runs one case, step by step. Gives what is wrong: nothing, if the implementation conforms. */
export async function runCase(test: Case, execute: Execute): Promise<string[]> {
  const problems: string[] = [];
  let request: unknown = test.request;
  let checkpoint: Checkpoint | undefined;
  for (const [index, step] of [test, ...(test.then ?? [])].entries()) {
    if (index > 0) request = followUp(request, step.request, checkpoint);
    const outcome = await attempt(execute, JSON.stringify(request));
    const found = judge(step, outcome, request);
    problems.push(...found.map((problem) => (index > 0 ? `step ${index + 1}: ${problem}` : problem)));
    if (problems.length > 0 || "refusal" in outcome) break;
    checkpoint = checkpointIn(request, outcome.updates);
  }
  return problems;
}

type Outcome = { readonly updates: readonly ExecutionUpdate[] } | { readonly refusal: Refusal };
interface Refusal {
  readonly code: unknown;
  readonly details: unknown;
  readonly message: string;
}

async function attempt(execute: Execute, body: string): Promise<Outcome> {
  const updates: ExecutionUpdate[] = [];
  try {
    for await (const update of execute(body)) updates.push(update);
    return { updates };
  } catch (error) {
    const { code, details } = error as { code?: unknown; details?: unknown };
    return { refusal: { code, details, message: String(error) } };
  }
}

type Body = { readonly workflow?: unknown; readonly checkpoint?: unknown };

function followUp(before: unknown, next: unknown, checkpoint: Checkpoint | undefined): unknown {
  const { checkpoint: _, answers: __, ...rest } = before as Record<string, unknown>;
  const body = { ...rest, ...(next as Record<string, unknown>) };
  if (body["checkpoint"] !== "previous" || !checkpoint) return body;
  return { ...body, checkpoint: JSON.parse(encodeJson(checkpoint as unknown as Value)) as unknown };
}

/** The checkpoint of a run, made as a client makes it: from what it posted and the updates it read. */
function checkpointIn(request: unknown, updates: readonly ExecutionUpdate[]): Checkpoint {
  const body = decodeJson(JSON.stringify(request)) as unknown as Body;
  const workflow = (body.workflow ?? body) as Workflow;
  return checkpointOf(fold(updates, body.checkpoint as Checkpoint | undefined), workflow);
}

function judge(step: Step, outcome: Outcome, request: unknown): string[] {
  if ("refusal" in outcome) {
    const { code, details, message } = outcome.refusal;
    if (step.issues && code === "INVALID_WORKFLOW") return compareIssues(step, details as readonly Issue[]);
    if (step.error)
      return code === step.error.code ? [] : [`refused with ${message} and not ${step.error.code}`];
    return [`refused: ${message} ${show(details)}`];
  }
  const { updates } = outcome;
  if (!step.expect) return [`it ran (${updates.at(-1)?.type}) and should have been refused`];
  const expectation = decodeJson(JSON.stringify(step.expect)) as unknown as Expectation;
  const frame = checkFrame(updates);
  // Without a beginning and an end there is nothing to compare.
  if (frame.length > 0) return frame;
  return [
    ...compareTerminal(expectation, updates),
    ...comparePaths(expectation, updates),
    ...compareHashes(expectation, updates, request),
  ];
}

function compareIssues(step: Step, details: readonly Issue[]): string[] {
  const left = [...details];
  const missing: string[] = [];
  for (const expected of step.issues ?? []) {
    const at = left.findIndex((issue) =>
      Object.entries(expected).every(([key, value]) => issue[key as keyof Issue] === value),
    );
    if (at < 0) missing.push(`no issue ${show(expected)}`);
    else left.splice(at, 1);
  }
  if (left.length > 0 && (missing.length > 0 || !step.subset)) missing.push(`further issues ${show(left)}`);
  return missing;
}

/** What holds for every stream. */
function checkFrame(updates: readonly ExecutionUpdate[]): string[] {
  const problems: string[] = [];
  if (updates.some((update, index) => update.seq !== index + 1)) problems.push("seq has gaps");
  if (updates[0]?.type !== "execution-started") problems.push(`begins with ${updates[0]?.type}`);
  const terminals = updates.flatMap((update, index) => (isTerminal(update) ? [index] : []));
  if (terminals.length !== 1 || terminals[0] !== updates.length - 1)
    problems.push("not one terminal update at the end");
  return problems;
}

function compareTerminal(expected: Expectation, updates: readonly ExecutionUpdate[]): string[] {
  const last = updates.at(-1);
  if (last?.type !== `execution-${expected.status}`) return [`ended with ${show(last)}`];
  const problems: string[] = [];
  const check = (what: string, seen: unknown, wanted: unknown) => {
    if (wanted !== undefined && !same(seen, wanted))
      problems.push(`${what} ${show(seen)} and not ${show(wanted)}`);
  };
  if (last.type === "execution-completed") check("outputs", last.outputs, expected.outputs);
  if (last.type === "execution-suspended")
    check("pending", last.pending.toSorted(), expected.pending?.toSorted());
  if (last.type === "execution-failed") {
    check("error", last.error.code, expected.error?.code);
    check("failed node", last.error.nodeId, expected.error?.nodeId);
  }
  check("fold", fold(updates).status, expected.status);
  return problems;
}

function comparePaths(expected: Expectation, updates: readonly ExecutionUpdate[]): string[] {
  if (!expected.paths) return [];
  const problems: string[] = [];
  const seen = linesOf(updates);
  for (const [path, lines] of Object.entries(expected.paths)) {
    const order = (given: readonly Line[]) => {
      if (expected.unordered?.includes(path)) return given.toSorted((a, b) => placeOf(a) - placeOf(b));
      return expected.anyOrder?.includes(path) ? given.toSorted(byText) : given;
    };
    const have = order(seen.get(path) ?? []);
    if (!same(have, order(lines))) problems.push(`${path}: ${show(have)} and not ${show(lines)}`);
    seen.delete(path);
  }
  if (!expected.others && seen.size > 0) problems.push(`unexpected ${show(Object.fromEntries(seen))}`);
  return problems;
}

function placeOf(line: Line): number {
  if (line[0] === "started") return -1;
  return (line[3] as { index?: number } | undefined)?.index ?? Number.POSITIVE_INFINITY;
}

const byText = (a: Line, b: Line) => (show(a) < show(b) ? -1 : 1);

function compareHashes(
  expected: Expectation,
  updates: readonly ExecutionUpdate[],
  request: unknown,
): string[] {
  const problems: string[] = [];
  const check = (what: string, path: string, seen: unknown, wanted: string) => {
    if (seen !== wanted) problems.push(`${what} of ${path} is ${String(seen)} and not ${wanted}`);
  };
  const find = (type: string, path: string) =>
    updates.find((update) => update.type === type && "nodeId" in update && update.nodeId === path) as
      | { readonly item?: string; readonly request?: string }
      | undefined;
  for (const [path, hash] of Object.entries(expected.items ?? {})) {
    check("item", path, find("node-started", path)?.item, hash);
  }
  for (const [path, hash] of Object.entries(expected.requests ?? {})) {
    check("request", path, find("input-requested", path)?.request, hash);
  }
  if (!expected.fingerprints) return problems;
  const { nodes } = checkpointIn(request, updates);
  for (const [path, hash] of Object.entries(expected.fingerprints)) {
    check("fingerprint", path, (nodes[path] as { fingerprint?: string } | undefined)?.fingerprint, hash);
  }
  return problems;
}

/** The same value, whatever prototypes its objects have. */
function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof Uint8Array || b instanceof Uint8Array) {
    if (!(a instanceof Uint8Array && b instanceof Uint8Array)) return false;
    return a.length === b.length && a.every((byte, index) => byte === b[index]);
  }
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [Object.keys(a), Object.keys(b)];
  if (left.length !== right.length) return false;
  const [x, y] = [a as Record<string, unknown>, b as Record<string, unknown>];
  return left.every((key) => Object.hasOwn(y, key) && same(x[key], y[key]));
}

function show(value: unknown): string {
  return (
    JSON.stringify(value, (_, inner: unknown) =>
      inner instanceof Uint8Array ? `bytes ${[...inner]}` : inner,
    ) ?? "nothing"
  );
}
