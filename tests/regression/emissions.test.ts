import { describe, expect, test } from "vitest";
import type { Emission, NodeContext } from "../../compute/engine/index.ts";
import { type ExecutionUpdate, fold } from "../../protocol/index.ts";
import { begin, nodeType, run } from "../support/own-nodes.ts";

describe("the index of an emission", () => {
  const emitting = (emissions: readonly Emission[], kind: "items" | "value" | "text" = "items") =>
    run(
      { workflow: { nodes: [{ id: "e", type: "emitting", policy: { retry: { maxAttempts: 2 } } }] } },
      {
        types: [
          nodeType("emitting", () => emissions, { handles: () => ({ inputs: {}, outputs: { out: kind } }) }),
        ],
      },
    );

  test.each<[string, readonly Emission[]]>([
    ["negative", [{ value: 1, index: -1 }]],
    ["a fraction", [{ value: 1, index: 0.5 }]],
    ["not a number", [{ value: 1, index: Number.NaN }]],
    ["not one at all", [{ value: 1, index: "0" as never }]],
    [
      "taken",
      [
        { value: 1, index: 0 },
        { value: 2, index: 1 },
        { value: 3, index: 0 },
      ],
    ],
    [
      "taken further on",
      [
        { value: 1, index: 7 },
        { value: 3, index: 7 },
      ],
    ],
    ["missing after one", [{ value: 1, index: 0 }, { value: 2 }]],
    ["there after none", [{ value: 1 }, { value: 2, index: 1 }]],
  ])("may not be %s", async (_, emissions) => {
    const updates = await emitting(emissions);
    expect(updates.at(-1)).toMatchObject({
      type: "execution-failed",
      error: { code: "NODE_FAILED", retryable: false, message: expect.stringContaining("index") },
    });
  });

  test.each(["value", "text"] as const)("is only for items, not for %s", async (kind) => {
    const updates = await emitting([{ value: "x", index: 0 }], kind);
    expect(updates.at(-1)).toMatchObject({ type: "execution-failed", error: { code: "NODE_FAILED" } });
  });

  test("may leave gaps", async () => {
    const updates = await emitting([5, 0, 9].map((index) => ({ value: index, index })));
    expect(fold(updates).nodes.get("e")?.outputs).toMatchObject({ out: [0, 5, 9] });
  });
});

describe("a live input that is given up while the next value is waited for", () => {
  test("answers that it is over", async () => {
    const endless = nodeType(
      "endless",
      async function* (context: NodeContext) {
        yield { value: 1 };
        await context.sleep(60_000);
        yield { value: 2 };
      },
      { handles: () => ({ inputs: {}, outputs: { out: "items" } }) },
    );
    const first = nodeType(
      "first",
      async function* ({ live }: NodeContext) {
        const values = live["in"]?.[Symbol.asyncIterator]() as AsyncIterator<number>;
        const one = await values.next();
        const pending = values.next();
        await values.return?.();
        yield { value: [one.value as number, (await pending).done === true] };
      },
      { handles: () => ({ inputs: { in: { live: ["items"] } }, outputs: { out: "value" } }) },
    );
    const workflow = {
      nodes: [
        { id: "e", type: "endless" },
        { id: "f", type: "first" },
      ],
      edges: [{ source: "e", target: "f" }],
    };
    const updates = await run({ workflow, options: { concurrency: 2 } }, { types: [endless, first] });
    const [begun, given] = [
      updates[0],
      updates.find((update) => update.type === "node-output" && update.nodeId === "f"),
    ];
    expect(given).toMatchObject({ value: [1, true] });
    expect((given?.timestamp ?? 0) - (begun?.timestamp ?? 0)).toBeLessThan(1_000);
  });
});

describe("a run that is read", () => {
  const request = { workflow: { nodes: [{ id: "c", type: "constant", data: { value: 1 } }] } };

  test("by several calls of next() at once gives each update to one of them, in order", async () => {
    const updates = (await begin(request))[Symbol.asyncIterator]();
    const results = await Promise.all(Array.from({ length: 8 }, () => updates.next()));
    const said = results.map(({ value }) => value?.type);
    const all = ["execution-started", "node-started", "node-output", "node-completed", "execution-completed"];
    expect(said).toEqual([...all, undefined, undefined, undefined]);
  });

  test("in batches by several calls at once, too", async () => {
    const batches = (await begin(request)).batches();
    const results = await Promise.all(Array.from({ length: 8 }, () => batches.next()));
    const seqs = results.flatMap(({ value }) => (value ?? []).map((update: ExecutionUpdate) => update.seq));
    expect(seqs).toEqual([1, 2, 3, 4, 5]);
  });
});
