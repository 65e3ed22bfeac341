import { describe, expect, it } from "vitest";
import { type ExecutionResult, readResult, resultToJson, type Value } from "../../../protocol/index.ts";

const METRICS = {
  durationMs: 3,
  nodes: { completed: 1, failed: 0, skipped: 0, reused: 0 },
  retries: 0,
  emissions: 1,
  bytes: 8,
  calls: 0,
};

const trip = (result: ExecutionResult): ExecutionResult => readResult(JSON.parse(resultToJson(result)));
const bare = { executionId: "run-1", metrics: METRICS };

describe("the answer in one JSON object", () => {
  it.each<[string, ExecutionResult]>([
    [
      "completed",
      {
        ...bare,
        status: "completed",
        outputs: { one: 1, text: "é\u0000\ud83d\ude00", list: [null, true, {}] },
      },
    ],
    [
      "failed",
      {
        ...bare,
        status: "failed",
        outputs: {},
        error: {
          code: "NODE_FAILED",
          message: "no",
          retryable: true,
          nodeId: "a",
          attempt: 2,
          details: { x: [1] },
        },
        checkpoint: { protocol: 1, runId: "run-0", seed: "s", nodes: {} },
      },
    ],
    [
      "suspended",
      {
        ...bare,
        status: "suspended",
        outputs: {},
        requests: [
          {
            type: "input-requested",
            seq: 7,
            timestamp: 1,
            nodeId: "m/0/ask",
            request: "r",
            tool: "sure",
            args: { file: Uint8Array.of(1, 255), own: { $bytes: "AQ==" } },
            schema: { type: "boolean" },
          },
        ],
        checkpoint: {
          protocol: 1,
          runId: "run-0",
          seed: "s",
          nodes: {
            a: {
              status: "completed",
              outputs: { out: Uint8Array.of(7), other: { $secret: "no" } },
              fingerprint: "f",
            },
            m: { status: "partial" },
            "m/0": { status: "partial", item: "h" },
          },
        },
      },
    ],
  ])("comes back as it was: %s", (_, result) => {
    const back = trip(result);
    expect({ ...back, outputs: { ...back.outputs } }).toEqual(result);
  });

  it.each<[string, Value]>([
    ["bytes", Uint8Array.of(0, 128, 255)],
    ["no bytes", new Uint8Array(0)],
    ["what looks like bytes", { $bytes: "AQ==" }],
    ["what looks like what looks like bytes", { $$bytes: "AQ==" }],
    ["what looks like a secret", { $secret: "NAME" }],
    ["deep inside", [{ a: [{ $bytes: 5 }, Uint8Array.of(1)] }]],
  ])("keeps markers and bytes apart: %s", (_, value) => {
    const outputs = { value, $bytes: value };
    expect({ ...trip({ ...bare, status: "completed", outputs }).outputs }).toEqual(outputs);
  });

  it("changes no prototype, whatever an output is called", () => {
    const text = resultToJson({ ...bare, status: "completed", outputs: { a: 1 } });
    const back = readResult(JSON.parse(text.replace('"a":1', '"__proto__":{"polluted":1},"b":2')));
    expect(Object.keys(back.outputs)).toEqual(["b"]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it.each([null, 1, "x", [], {}, { ...bare, status: "odd", outputs: {} }])(
    "is refused where it is none: %j",
    (raw) => {
      expect(() => readResult(raw)).toThrow(expect.objectContaining({ code: "INVALID_REQUEST" }));
    },
  );
});
