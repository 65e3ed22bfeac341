import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../../protocol/codec/canonical.ts";
import {
  type Checkpoint,
  checkpointOf,
  checkpointToJson,
  decodeJson,
  decodeMsgpack,
  type ExecuteRequest,
  type ExecutionUpdate,
  encodeJson,
  encodeMsgpack,
  encodeNdjsonBatch,
  encodeSse,
  encodeSseBatch,
  fingerprints,
  finish,
  fold,
  hash,
  MsgpackUpdates,
  NdjsonUpdates,
  type NodeState,
  parseCheckpoint,
  parseRequest,
  SseUpdates,
  updateFromJson,
  updateToJson,
  updateToMsgpack,
} from "../../../protocol/index.ts";
import { codeOf, same } from "./value.ts";

/** The golden vectors: what every implementation must write and read, byte by byte. */
function vectors<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../conformance/vectors/${name}.json`, import.meta.url), "utf8"));
}
const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const request = (body: unknown): ExecuteRequest => finish(parseRequest(structuredClone(body)));

describe("values", () => {
  const values = vectors<{ name: string; json: string; msgpack: string }[]>("values");
  it.each(values)("$name", ({ json, msgpack }) => {
    const value = decodeJson(json);
    expect(encodeJson(value)).toBe(json);
    expect(toHex(encodeMsgpack(value))).toBe(msgpack);
    same(decodeMsgpack(fromHex(msgpack)), value);
  });
});

describe("refused", () => {
  const refused =
    vectors<Record<"json" | "msgpack", { name: string; json: string; msgpack: string; code: string }[]>>(
      "refused",
    );
  it.each(refused.json)("JSON: $name", ({ json, code }) => {
    expect(codeOf(() => decodeJson(json))).toBe(code);
  });
  it.each(refused.msgpack)("MessagePack: $name", ({ msgpack, code }) => {
    expect(codeOf(() => decodeMsgpack(fromHex(msgpack)))).toBe(code);
  });
});

describe("updates", () => {
  const updates = vectors<{ type: string; sse: string; msgpack: string }[]>("updates");
  it.each(updates)("$type", ({ type, sse, msgpack }) => {
    const bytes = new TextEncoder().encode(sse);
    const [update, ...more] = new SseUpdates().push(bytes);
    expect(more).toHaveLength(0);
    expect(update?.type).toBe(type);
    expect(encodeSse(update!)).toBe(sse);
    same(encodeSseBatch([update!]), bytes);
    expect(toHex(updateToMsgpack(update!))).toBe(msgpack);
    same(new MsgpackUpdates().push(fromHex(msgpack)), [update]);
    same(new NdjsonUpdates().push(encodeNdjsonBatch([update!])), [update]);
    same(updateFromJson(updateToJson(update!)), update);
  });
});

describe("hashes", () => {
  it.each(vectors<{ list: string; canonical: string; hash: string }[]>("hashes"))("$canonical", (vector) => {
    const list = decodeJson(vector.list) as unknown[];
    expect(canonicalJson(list)).toBe(vector.canonical);
    expect(hash(list)).toBe(vector.hash);
    expect(createHash("sha256").update(vector.canonical).digest("base64url").slice(0, 22)).toBe(vector.hash);
  });
});

describe("fingerprints", () => {
  interface Vector {
    name: string;
    workflow: unknown;
    seed: string;
    inputs?: Record<string, never>;
    fingerprints: Record<string, string>;
  }
  it.each(vectors<Vector[]>("fingerprints"))("$name", (vector) => {
    const { workflow } = request({ workflow: vector.workflow });
    const found = finish(fingerprints(workflow, { seed: vector.seed, inputs: vector.inputs }));
    same(Object.fromEntries(found), vector.fingerprints);
  });
});

describe("folds", () => {
  interface Vector {
    name: string;
    workflow: unknown;
    inputs?: Record<string, never>;
    from?: unknown;
    updates: unknown[];
    state: { status: string; requests: string[]; nodes: Record<string, object> };
    checkpoint: unknown;
  }

  function told(node: NodeState): object {
    const { status, attempt, item, reused, withheld, reason, handled, error } = node;
    const outputs = Object.entries(node.outputs).map(([name, value]) => [
      name,
      JSON.parse(encodeJson(value)),
    ]);
    return JSON.parse(
      JSON.stringify({
        status,
        attempt,
        outputs: Object.fromEntries(outputs),
        item,
        reused,
        withheld,
        reason,
        handled,
        error: error?.code,
      }),
    );
  }

  it.each(vectors<Vector[]>("folds"))("$name", (vector) => {
    const from: Checkpoint | undefined =
      vector.from === undefined ? undefined : finish(parseCheckpoint(structuredClone(vector.from)));
    const updates = vector.updates.map((update) => updateFromJson(JSON.stringify(update)) as ExecutionUpdate);
    const state = fold(updates, from);
    same(
      {
        status: state.status,
        requests: state.requests.map(({ nodeId }) => nodeId),
        nodes: Object.fromEntries([...state.nodes].map(([path, node]) => [path, told(node)])),
      },
      vector.state,
    );
    const { workflow } = request({ workflow: vector.workflow });
    same(JSON.parse(checkpointToJson(checkpointOf(state, workflow, vector.inputs))), vector.checkpoint);
  });
});
