import { describe, expect, it } from "vitest";
import { resultEncoder } from "../../../compute/service/stream/result.ts";
import {
  checkpointOf,
  DEFAULT_LIMITS,
  type ExecuteRequest,
  type ExecutionUpdate,
  fold,
  readResult,
  type Value,
} from "../../../protocol/index.ts";
import { completed, METRICS } from "./scripted-execution.ts";
import { StillClock } from "./still-clock.ts";

const request: ExecuteRequest = {
  workflow: {
    nodes: [
      { id: "$bytes", type: "constant", data: { value: 1 } },
      { id: "b", type: "constant", data: { value: 2 } },
    ],
    edges: [],
  },
};

let seq = 0;
const at = () => ({ seq: ++seq, timestamp: 0 });

function node(nodeId: string, value: Value): ExecutionUpdate[] {
  const executor = { kind: "local" } as const;
  return [
    { type: "node-started", ...at(), nodeId, attempt: 1, executor },
    { type: "node-output", ...at(), nodeId, attempt: 1, handle: "out", mode: "set", value },
    { type: "node-completed", ...at(), nodeId, attempt: 1, durationMs: 1 },
  ];
}

const started = (): ExecutionUpdate => ({
  type: "execution-started",
  ...at(),
  executionId: "run-1",
  runId: "run-0",
  seed: "s",
  protocol: 1,
  runtime: "node",
  nodes: 2,
  edges: 0,
  reused: 0,
});
const failed = (): ExecutionUpdate => ({
  type: "execution-failed",
  ...at(),
  error: { code: "NODE_FAILED", message: "no", retryable: true, nodeId: "b" },
  metrics: METRICS,
});

async function encode(
  updates: readonly ExecutionUpdate[],
  maxRetainedBytes = DEFAULT_LIMITS.maxRetainedBytes,
) {
  const limits = { ...DEFAULT_LIMITS, maxRetainedBytes };
  const encoder = resultEncoder({ request, limits, clock: new StillClock() });
  let text = "";
  for (const update of updates) text += new TextDecoder().decode(await encoder.encode([update]));
  return text;
}

describe("the answer in one object", () => {
  it("says nothing before the end", async () => {
    expect(await encode([started(), ...node("b", 1)])).toBe("");
  });

  it("of a run that failed has the checkpoint that its updates fold to, whatever its values and names look like", async () => {
    const updates = [
      started(),
      ...node("$bytes", { $bytes: "mine" }),
      ...node("b", Uint8Array.of(1, 2)),
      failed(),
    ];
    const result = readResult(JSON.parse(await encode(updates)));
    expect(result).toMatchObject({ executionId: "run-1", status: "failed", error: { code: "NODE_FAILED" } });
    expect(result.checkpoint).toEqual(checkpointOf(fold(updates), request.workflow));
    expect(result.checkpoint?.nodes["b"]).toMatchObject({ outputs: { out: Uint8Array.of(1, 2) } });
  });

  it("of a run that completed has no checkpoint", async () => {
    const result = readResult(JSON.parse(await encode([started(), ...node("b", 1), completed(9)])));
    expect(result).toMatchObject({ status: "completed", metrics: METRICS });
    expect(result.checkpoint).toBeUndefined();
  });

  it("of a run that made more than may be kept has no checkpoint either, and everything else", async () => {
    const much = "x".repeat(1_000);
    const text = await encode([started(), ...node("b", much), ...node("$bytes", much), failed()], 1_500);
    const result = readResult(JSON.parse(text));
    expect(result).toMatchObject({ executionId: "run-1", status: "failed", error: { code: "NODE_FAILED" } });
    expect(result.checkpoint).toBeUndefined();
    expect(text).not.toContain("xxx");
  });
});
