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
import type { Prng } from "../support/random.ts";
import type { Reference } from "../support/reference.ts";
import { checkRules, type Verdict } from "../support/rules.ts";
import { type Simulated, type SimulateOptions, simulate } from "../support/simulate.ts";
import { compare } from "./compare.ts";
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
  const differences = reference ? compare(reference, updates, verdict.paths) : [];
  return {
    problems: [...problems, ...verdict.violations, ...differences],
    evidence: { request, updates },
  };
}

/** The checkpoint of what has been read of a run, as it arrives at another host. */
export function cut(played: Played, updates: readonly ExecutionUpdate[]): Checkpoint {
  const { checkpoint, workflow } = played.request;
  const made = checkpointOf(fold(updates, checkpoint as Checkpoint | undefined), workflow as Workflow);
  return decodeJson(encodeJson(made as unknown as Value)) as unknown as Checkpoint;
}

/** Paths that had completed at the top when the stream was cut, and that nobody may start again. */
export function finished(checkpoint: Checkpoint): string[] {
  return Object.entries(checkpoint.nodes)
    .filter(([path, entry]) => entry.status === "completed" && !path.includes("/"))
    .map(([path]) => path);
}
