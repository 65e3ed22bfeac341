import type { Checkpoint, CheckpointEntry } from "../checkpoint.ts";
import type { Answer, ExecuteRequestInput } from "../execution.ts";
import { mark, markRecord } from "./mark.ts";
import type { Wire } from "./marker.ts";
import { writeMsgpack } from "./msgpack-writer.ts";

/** A request as JSON. Secrets in nodes' data are named; everything else that looks like one is escaped. */
export function requestToJson(request: ExecuteRequestInput): string {
  return JSON.stringify(markRequest(request, "json"));
}

/** A request as MessagePack. */
export function requestToMsgpack(request: ExecuteRequestInput): Uint8Array {
  return writeMsgpack(markRequest(request, "msgpack"));
}

/** A checkpoint as JSON, as it is saved in a file or posted. */
export function checkpointToJson(checkpoint: Checkpoint): string {
  return JSON.stringify(markCheckpoint(checkpoint, "json"));
}

function markRequest(request: ExecuteRequestInput, wire: Wire): object {
  const { workflow, inputs, checkpoint, answers } = request;
  return {
    ...request,
    workflow: { ...workflow, nodes: workflow.nodes.map((node) => markNode(node, wire)) },
    ...(inputs !== undefined && { inputs: markRecord(inputs, wire) }),
    ...(checkpoint !== undefined && { checkpoint: markCheckpoint(checkpoint, wire) }),
    ...(answers !== undefined && { answers: mapRecord(answers, (answer) => markAnswer(answer, wire)) }),
  };
}

type PostedNode = ExecuteRequestInput["workflow"]["nodes"][number];

function markNode(node: PostedNode, wire: Wire): PostedNode {
  const data = mark(node.data, wire);
  const policy = mark(node.policy, wire);
  return data === node.data && policy === node.policy ? node : { ...node, data, policy };
}

function markAnswer(answer: Answer, wire: Wire): object {
  return "value" in answer ? { ...answer, value: mark(answer.value, wire) } : answer;
}

function markCheckpoint(checkpoint: Checkpoint, wire: Wire): object {
  return { ...checkpoint, nodes: mapRecord(checkpoint.nodes, (entry) => markEntry(entry, wire)) };
}

function markEntry(entry: CheckpointEntry, wire: Wire): object {
  if ("outputs" in entry)
    return entry.outputs === null ? entry : { ...entry, outputs: markRecord(entry.outputs, wire) };
  return "result" in entry ? { ...entry, result: mark(entry.result, wire) } : entry;
}

function mapRecord<T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> {
  const mapped: Record<string, U> = Object.create(null);
  for (const name of Object.keys(record)) mapped[name] = map(record[name]!);
  return mapped;
}
