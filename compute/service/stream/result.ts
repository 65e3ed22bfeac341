import {
  type Checkpoint,
  type CheckpointEntry,
  checkpointSteps,
  checkpointToJson,
  type ExecuteRequest,
  type ExecutionState,
  type ExecutionUpdate,
  Folder,
  isTerminal,
  measure,
  resultToJson,
  type Steps,
} from "../../../protocol/index.ts";
import { cooperate } from "../../engine/index.ts";
import type { Encoder, EncoderContext } from "./encoder.ts";

/** What an update costs beside its value while it is folded. */
const UPDATE_BYTES = 64;
const NOTHING = new Uint8Array(0);
const SPACE = Uint8Array.of(0x20);
const text = new TextEncoder();

/**
 * One object at the end instead of updates. What the run has come to is folded meanwhile, since a run that doesn't complete
 * answers with its checkpoint; beyond `maxRetainedBytes` that is given up, and the answer has none.
 */
export function resultEncoder({ request, limits, clock }: EncoderContext): Encoder {
  let folder = new Folder(request.checkpoint);
  let size = 0;
  let kept = true;
  let started: ExecutionUpdate | undefined;

  function take(update: ExecutionUpdate): void {
    started ??= update;
    if (update.type === "node-output") size += UPDATE_BYTES + measure(update.value, limits.maxDepth);
    if (kept && size > limits.maxRetainedBytes) {
      kept = false;
      folder = new Folder();
      folder.push(started);
    }
    if (kept || update.type === "input-requested" || !("nodeId" in update)) folder.push(update);
  }

  return {
    heartbeat: SPACE,
    encode(updates) {
      for (const update of updates) take(update);
      const last = updates.at(-1);
      if (!last || !isTerminal(last)) return NOTHING;
      return cooperate(answerOf(folder.state, request, kept), clock).then((json) => text.encode(json));
    },
  };
}

/** The answer as text; the checkpoint, which can be large, is written entry by entry. */
function* answerOf(state: ExecutionState, request: ExecuteRequest, kept: boolean): Steps<string> {
  const { executionId = "", status, outputs, error, requests, metrics } = state;
  if (status === "running" || metrics === undefined)
    throw new TypeError("A run that hasn't ended has no result");
  const head = resultToJson({
    executionId,
    status,
    outputs,
    ...(error && { error }),
    ...(requests.length > 0 && { requests: [...requests] }),
    metrics,
  });
  if (status === "completed" || !kept) return `${head}\n`;
  const checkpoint = yield* checkpointSteps(state, request.workflow, request.inputs);
  return `${head.slice(0, -1)},"checkpoint":${yield* checkpointText(checkpoint)}}\n`;
}

function* checkpointText({ nodes, ...head }: Checkpoint): Steps<string> {
  const entries: string[] = [];
  for (const path of Object.keys(nodes)) {
    // One entry at a time is written like a checkpoint that has only that one.
    const alone = checkpointToJson({ ...EMPTY, nodes: { [path]: nodes[path] as CheckpointEntry } });
    entries.push(alone.slice(BEFORE_ENTRIES, -AFTER_ENTRIES));
    yield;
  }
  return `${JSON.stringify(head).slice(0, -1)},"nodes":{${entries.join()}}}`;
}

const EMPTY: Checkpoint = { protocol: 1, runId: "", seed: "", nodes: {} };
const AFTER_ENTRIES = "}}".length;
const BEFORE_ENTRIES = checkpointToJson(EMPTY).length - AFTER_ENTRIES;
