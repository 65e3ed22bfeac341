import {
  type Checkpoint,
  checkpointOf,
  decodeJson,
  type ExecuteRequestInput,
  type ExecutionUpdate,
  encodeJson,
  fold,
  type Limits,
  type Value,
  type Workflow,
} from "../../protocol/index.ts";
import { locate } from "../support/located.ts";
import type { Prng } from "../support/random.ts";
import type { Reference } from "../support/reference.ts";
import { checkRules, type Verdict } from "../support/rules.ts";
import { type Simulated, type SimulateOptions, simulate } from "../support/simulate.ts";
import { compare, compareFold } from "./compare.ts";
import type { Finding } from "./seeds.ts";

/** A host of some sort: its clock, its queues, how its updates are read. */
export function anyHost(random: Prng): SimulateOptions {
  return {
    seed: random.int(1, 1_000_000),
    mode: random.pick(["running", "workers"]),
    batches: random.chance(0.5),
    limits: random.pick<Partial<Limits>>([
      {},
      { maxQueueItems: 1 },
      { maxQueueItems: 1, maxPendingUpdates: 1 },
      { maxQueueBytes: 1, maxPendingBytes: 1 },
      { maxQueueItems: 1, maxPendingUpdates: 1, maxConcurrency: 1, maxOpenQuestions: 1 },
      { maxConcurrency: 2, maxQueueItems: 2 },
    ]),
  };
}

export interface Played extends Simulated {
  readonly request: ExecuteRequestInput;
  readonly verdict: Verdict;
}

/** Runs a request on a host, and holds its stream against the rules. */
export async function play(request: ExecuteRequestInput, host: SimulateOptions): Promise<Played> {
  const simulated = await simulate(request, host);
  const { outputs } = request.options ?? {};
  const verdict = checkRules({
    workflow: request.workflow as Workflow,
    updates: simulated.updates,
    ...(request.checkpoint && { checkpoint: request.checkpoint as Checkpoint }),
    allOutputs: outputs === undefined || outputs === "all",
  });
  return { ...simulated, request, verdict };
}

/** What is wrong with a run, if the reference is what should have come of it. */
export function judge(played: Played, reference?: Reference): Finding {
  const { updates, problems, verdict, request } = played;
  const differences = reference ? compare(request.workflow as Workflow, reference, updates, verdict) : [];
  const whole = request.options?.outputs === undefined;
  const state = fold(updates, request.checkpoint as Checkpoint | undefined);
  const folded = whole ? compareFold(state, verdict.paths, verdict.early ? undefined : reference) : [];
  return {
    problems: [...problems, ...verdict.violations, ...differences, ...folded],
    evidence: { request, updates },
  };
}

/** The checkpoint of what has been read of a run, as it arrives at another host. */
export function cut(played: Played, updates: readonly ExecutionUpdate[]): Checkpoint {
  const { checkpoint, workflow } = played.request;
  const made = checkpointOf(fold(updates, checkpoint as Checkpoint | undefined), workflow as Workflow);
  return decodeJson(encodeJson(made as unknown as Value)) as unknown as Checkpoint;
}

/** What a run started again though the checkpoint had it, and nothing that it stands in was given something else. */
export function startedAgain(played: Played, checkpoint: Checkpoint): string[] {
  const items = new Map<string, string>();
  const again: string[] = [];
  const reset = new Set<string>();
  for (const update of played.updates) {
    // With a path, what the checkpoint has under it is withdrawn too.
    if (update.type === "node-reset") reset.add(update.nodeId);
    if (update.type !== "node-started" || reset.has(update.nodeId.split("/", 1)[0] as string)) continue;
    if (update.item !== undefined) items.set(update.nodeId, update.item);
    const entry = checkpoint.nodes[update.nodeId];
    if (entry?.status !== "completed") continue;
    if (unchanged(update.nodeId, items, checkpoint, played.request.workflow as Workflow))
      again.push(update.nodeId);
  }
  return again.map((path) => `started again: ${path}`);
}

function unchanged(
  path: string,
  items: ReadonlyMap<string, string>,
  checkpoint: Checkpoint,
  workflow: Workflow,
): boolean {
  for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) {
    const above = path.slice(0, end);
    const entry = checkpoint.nodes[above];
    if (entry === undefined) return false;
    const located = locate(workflow, above);
    // What an iteration may be reused depends on all those before it.
    if (!located?.scope) continue;
    if (located.node.type === "loop") return false;
    if (!("item" in entry) || entry.item !== items.get(above)) return false;
  }
  return true;
}
