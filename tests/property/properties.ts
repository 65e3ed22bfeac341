import type { Checkpoint, Value, Workflow } from "../../protocol/index.ts";
import type { Line } from "../conformance/case.ts";
import { linesOf } from "../conformance/lines.ts";
import { Ledger } from "../support/nodes.ts";
import type { Prng } from "../support/random.ts";
import { evaluate } from "../support/reference.ts";
import { topological } from "../support/shape.ts";
import { equal } from "./compare.ts";
import { generate } from "./generate.ts";
import { anyHost, cut, judge, type Played, play, startedAgain } from "./scenario.ts";
import type { Finding } from "./seeds.ts";

const harmless = { maxNodes: 12, depth: 2, tools: false, fatal: false };
const small = { ...harmless, maxNodes: 9, depth: 1 };

export async function asReference(random: Prng): Promise<Finding> {
  const workflow = generate(random, harmless);
  const reference = await evaluate({ workflow });
  return judge(await play({ workflow }, anyHost(random)), reference);
}

export async function failing(random: Prng): Promise<Finding> {
  const workflow = generate(random, { ...small, fatal: true });
  const reference = await evaluate({ workflow });
  return judge(await play({ workflow }, anyHost(random)), reference);
}

export async function selected(random: Prng): Promise<Finding> {
  const workflow = generate(random, small);
  const until = someOf(random, workflow);
  const reference = await evaluate({ workflow, until });
  return judge(await play({ workflow, options: { until } }, anyHost(random)), reference);
}

export async function filtered(random: Prng): Promise<Finding> {
  const workflow = generate(random, small);
  const outputs = random.pick(["leaves" as const, "none" as const, someOf(random, workflow)]);
  const played = await play({ workflow, options: { outputs } }, anyHost(random));
  const last = played.updates.at(-1);
  const reference = await evaluate({ workflow });
  const finding = judge(played);
  const same = last?.type === "execution-completed" && equal(last.outputs, reference.outputs);
  return same
    ? finding
    : { ...finding, problems: [...finding.problems, `ended with ${JSON.stringify(last)}`] };
}

function someOf(random: Prng, workflow: Workflow): string[] {
  return workflow.nodes.filter(() => random.chance(0.3)).map((node) => node.id);
}

/** Two hosts give the same updates per path, but for times, ids and the order among paths. */
export async function repeated(random: Prng): Promise<Finding> {
  const workflow = generate(random, { ...small, calm: true });
  const request = { workflow, options: { seed: "the same" } };
  const first = await play(request, anyHost(random));
  const second = await play(request, anyHost(random));
  const finding = followed(judge(second), first, second, "on another host");
  const [before, after] = [inOrder(linesOf(first.updates)), inOrder(linesOf(second.updates))];
  if (equal(before, after)) return finding;
  const differing = Object.keys(before).filter((path) => !equal(before[path], after[path]));
  return followed(
    { ...finding, problems: [`differing: ${differing.join()}`] },
    first,
    second,
    "on another host",
  );
}

/** Items of an unordered map come in any order. */
function inOrder(paths: ReadonlyMap<string, readonly Line[]>): Record<string, readonly Line[]> {
  const place = (line: Line) => (line[3] as { index?: number } | undefined)?.index;
  const sorted = [...paths].map(([path, lines]) => {
    const indexed = lines.filter((line) => place(line) !== undefined);
    if (indexed.length === 0) return [path, lines];
    return [path, lines.toSorted((a, b) => (place(a) ?? -1) - (place(b) ?? -1))];
  });
  return Object.fromEntries(sorted) as Record<string, readonly Line[]>;
}

/** Stops a run at any of its updates, in any way: whatever was running is to be gone. */
export async function cancelled(random: Prng): Promise<Finding> {
  const workflow = generate(random, { ...small, fatal: true });
  const host = anyHost(random);
  const whole = await play({ workflow }, host);
  const stop = {
    after: random.int(1, Math.max(1, whole.updates.length - 1)),
    by: random.pick(["signal", "cancel", "leave"] as const),
  };
  const played = await play({ workflow }, { ...host, stop });
  const finding = judge(played);
  const last = played.updates.at(-1);
  const { problems } = finding;
  if (stop.by === "leave")
    return { ...finding, problems: problems.filter((one) => !one.includes("no terminal")) };
  const reason = stop.by === "signal" ? "client" : "shutdown";
  const heeded = last?.type === "execution-cancelled" && last.reason === reason;
  // What had been made before and not been read may be the end of the run itself.
  if (heeded || last?.type === whole.updates.at(-1)?.type) return finding;
  return {
    ...finding,
    problems: [...problems, `stopped by ${stop.by} after ${stop.after}: ${JSON.stringify(last)}`],
  };
}

/** Cuts a stream anywhere: another host goes on from there to the same end, and starts nothing that had completed. */
export async function resumed(random: Prng): Promise<Finding> {
  const workflow = generate(random, small);
  const reference = await evaluate({ workflow });
  // Seeds and idempotency keys are the same on all hosts: the ledger sees to it.
  const ledger = new Ledger();
  const first = await play({ workflow }, { ...anyHost(random), ledger });
  const problems = judge(first, reference);
  if (problems.problems.length > 0) return problems;
  for (const at of cuts(random, first.updates.length)) {
    const checkpoint = cut(first, first.updates.slice(0, at));
    const second = await play({ workflow, checkpoint }, { ...anyHost(random), ledger });
    const finding = againstCheckpoint(judge(second, reference), second, checkpoint);
    if (finding.problems.length > 0) return followed(finding, first, second, `cut after ${at}`);
    // And once more, from a cut of what was resumed.
    const again = cut(second, second.updates.slice(0, random.int(1, second.updates.length)));
    const third = await play({ workflow, checkpoint: again }, { ...anyHost(random), ledger });
    const last = againstCheckpoint(judge(third, reference), third, again);
    if (last.problems.length > 0) return followed(last, second, third, `cut after ${at}, and again`);
  }
  return problems;
}

/** Cuts a stream and edits the workflow: only what the edit touches runs again, and all is as if it had always been so. */
export async function edited(random: Prng): Promise<Finding> {
  const workflow = generate(random, small);
  const first = await play({ workflow }, anyHost(random));
  const at = random.int(1, first.updates.length);
  const checkpoint = cut(first, first.updates.slice(0, at));
  const edit = edits(random, workflow);
  const reference = await evaluate({ workflow: edit.workflow });
  const second = await play({ workflow: edit.workflow, checkpoint }, anyHost(random));
  const untouched = Object.entries(checkpoint.nodes).filter(
    ([path]) => !edit.touched.has(path.split("/", 1)[0] as string),
  );
  const left = { ...checkpoint, nodes: Object.fromEntries(untouched) };
  const finding = againstCheckpoint(judge(second, reference), second, left);
  return followed(finding, first, second, `cut after ${at}, edited ${[...edit.touched].join()}`);
}

/** Suspends wherever something is asked; answers come to other hosts, some at a time. */
export async function answered(random: Prng): Promise<Finding> {
  const workflow = generate(random, { ...small, tools: true });
  const answers: Record<string, Value> = {};
  let played = await play({ workflow }, anyHost(random));
  for (let round = 0; round < 200; round += 1) {
    const reference = await evaluate({ workflow, answers });
    const finding = judge(played, reference);
    const last = played.updates.at(-1);
    if (finding.problems.length > 0 || last?.type !== "execution-suspended") return finding;
    const told = Object.fromEntries(
      last.pending
        .filter((_, index) => index === 0 || random.chance(0.5))
        .map((path) => [path, { value: random.int(0, 99) }]),
    );
    for (const [path, { value }] of Object.entries(told)) answers[path] = value;
    const checkpoint = cut(played, played.updates);
    played = await play({ workflow, checkpoint, answers: told }, anyHost(random));
    const kept = againstCheckpoint({ problems: [] }, played, checkpoint);
    if (kept.problems.length > 0) return { ...judge(played), problems: kept.problems };
  }
  return { problems: ["it asks without end"] };
}

/** Every cut of a short stream, some of a long one. Before the first update there is nothing to go on from. */
function cuts(random: Prng, length: number): number[] {
  const all = Array.from({ length }, (_, index) => index + 1);
  return length <= 25 ? all : random.shuffle(all).slice(0, 8);
}

function againstCheckpoint(finding: Finding, played: Played, checkpoint: Checkpoint): Finding {
  return { ...finding, problems: [...finding.problems, ...startedAgain(played, checkpoint)] };
}

function followed(finding: Finding, first: Played, second: Played, how: string): Finding {
  if (finding.problems.length === 0) return finding;
  return {
    problems: [how, ...finding.problems],
    evidence: { request: second.request, updates: first.updates, second: second.updates },
  };
}

/** The code of an error is all that may be read of it. */
function editedExpression(expression: unknown): string {
  return expression === "code" ? '"edited " & code' : '{"edited": $}';
}

/** Changes the data of a node, and names it and all that depends on it. */
function edits(random: Prng, workflow: Workflow): { workflow: Workflow; touched: ReadonlySet<string> } {
  const node = random.pick(workflow.nodes);
  const data = node.data as Record<string, unknown>;
  const changes: Record<string, Record<string, unknown>> = {
    "test-source": { offset: Number(data["offset"] ?? 0) + 1 },
    "test-relay": { offset: Number(data["offset"] ?? 0) + 1 },
    range: { to: 2 },
    constant: { value: "edited" },
    transform: { expression: data["each"] === true ? '{"w": $}' : editedExpression(data["expression"]) },
  };
  const change = changes[node.type ?? ""] ?? { edited: true };
  const nodes = workflow.nodes.map((one) => (one === node ? { ...one, data: { ...data, ...change } } : one));
  const touched = new Set([node.id]);
  for (const one of topological(workflow)) {
    if (workflow.edges.some((edge) => edge.target === one.id && touched.has(edge.source)))
      touched.add(one.id);
  }
  return { workflow: { ...workflow, nodes }, touched };
}
