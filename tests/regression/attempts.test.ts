import { describe, expect, test } from "vitest";
import type { NodeContext, Placement, Runner } from "../../compute/engine/index.ts";
import { begin, lines, nodeType, run } from "../support/own-nodes.ts";

const idle = nodeType("idle", () => []);

describe("faults that attempts once had", () => {
  test("a placement that comes after the attempt's end is told to stop, and the run waits until it has", async () => {
    const place = Promise.withResolvers<Placement>();
    const asked = Promise.withResolvers<void>();
    const runner: Runner = {
      start: () => {
        asked.resolve();
        return place.promise;
      },
    };
    const execution = await begin(
      { workflow: { nodes: [{ id: "a", type: "idle" }] } },
      { types: [idle], runner },
    );
    const said: string[] = [];
    const read = (async () => {
      for await (const { type } of execution) said.push(type);
    })();
    await asked.promise;
    execution.cancel("client");
    place.resolve({
      executor: { kind: "pool" },
      emissions: {
        [Symbol.asyncIterator]: () => ({
          next: () => Promise.reject(new Error("pulled after the end")),
          return: async () => {
            await Promise.resolve();
            said.push("returned");
            return { done: true, value: undefined };
          },
        }),
      },
    });
    await read;
    expect(said).toEqual(["execution-started", "returned", "execution-cancelled"]);
  });
});

describe("cleaning up", () => {
  const never = new Promise<never>(() => {});
  const nodes = (policy: object = {}) => [{ id: "a", type: "stuck", policy }];

  test("comes also for a node that never returns, before the end of the run, at most 2 s after it was told", async () => {
    const said: string[] = [];
    const stuck = nodeType(
      "stuck",
      async function* () {
        yield { value: 1 };
        await never;
      },
      { dispose: () => void said.push("disposed") },
    );
    const execution = await begin({ workflow: { nodes: nodes() } }, { types: [stuck] });
    let cancelled = 0;
    for await (const { type, timestamp } of execution) {
      said.push(type);
      if (type === "node-output") {
        cancelled = timestamp;
        execution.cancel("client");
      }
      if (type === "execution-cancelled") expect(timestamp - cancelled).toBeLessThan(2_050);
    }
    expect(said.slice(-2)).toEqual(["disposed", "execution-cancelled"]);
  });

  test("comes for an attempt that never returns while the run goes on, and once", async () => {
    const disposed: number[] = [];
    const stuck = nodeType(
      "stuck",
      async function* (context: NodeContext) {
        if (context.attempt === 1) await never;
        await context.sleep(5_000);
        yield { value: 1 };
      },
      { dispose: ({ attempt }) => void disposed.push(attempt) },
    );
    const policy = { timeoutMs: 6_000, retry: { maxAttempts: 2, delayMs: 0 } };
    const updates = await run({ workflow: { nodes: nodes(policy) } }, { types: [stuck] });
    expect(updates.at(-1)?.type).toBe("execution-completed");
    expect(disposed).toEqual([1, 2]);
  });

  test("sees the inputs, even if it is the first to look at them", async () => {
    const seen: unknown[] = [];
    const stuck = nodeType("stuck", () => [{ value: 1 }], {
      dispose: async ({ inputs }) => {
        await Promise.resolve();
        seen.push(inputs["in"]);
      },
    });
    const lazy = nodeType("stuck", () => [{ value: 1 }], {
      dispose: async (context) => {
        await Promise.resolve();
        seen.push(context.inputs["in"]);
      },
    });
    const workflow = {
      nodes: [{ id: "l", type: "range", data: { to: 2 } }, ...nodes()],
      edges: [{ source: "l", target: "a" }],
    };
    for (const type of [stuck, lazy]) await run({ workflow }, { types: [type] });
    expect(seen).toEqual([
      [0, 1, 2],
      [0, 1, 2],
    ]);
  });
});

describe("a node that speaks before its runner has a place for it", () => {
  test.each<[string, (context: NodeContext) => void]>([
    ["logs", (context) => context.log("info", "here")],
    ["tells its progress", (context) => context.progress(1)],
    ["asks", (context) => void context.ask({ tool: "sure", args: 1 })],
  ])("%s after its start", async (_, speak) => {
    const plain = nodeType("plain", (context: NodeContext) => {
      speak(context);
      return [{ value: 1 }];
    });
    const updates = await run({ workflow: { nodes: [{ id: "a", type: "plain" }] } }, { types: [plain] });
    expect(lines(updates)[1]).toBe("node-started a");
    expect(lines(updates).filter((line) => line === "node-started a")).toHaveLength(1);
  });
});
