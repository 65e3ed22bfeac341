import { describe, expect, it } from "vitest";
import { execute } from "../../../compute/hosts/local.ts";
import { thisRuntime } from "../../../compute/hosts/runtime.ts";
import { webClock, webRandom } from "../../../compute/hosts/web.ts";
import { type ExecutionUpdate, isTerminal } from "../../../protocol/index.ts";

const GREETING = {
  nodes: [
    { id: "name", type: "input", data: { name: "name" } },
    { id: "hello", type: "template", data: { text: "Hello {{in}}" } },
    { id: "out", type: "output", data: { name: "greeting" } },
  ],
  edges: [
    { source: "name", target: "hello" },
    { source: "hello", target: "out" },
  ],
};
const SLOW = {
  nodes: [
    { id: "given", type: "constant", data: { value: 1 } },
    { id: "wait", type: "delay", data: { ms: 60_000 } },
  ],
  edges: [{ source: "given", target: "wait" }],
};

describe("a run in this process", () => {
  it("takes what could be posted, and gives the same updates", async () => {
    const updates: ExecutionUpdate[] = [];
    for await (const update of execute({ workflow: GREETING, inputs: { name: "Ada" } })) updates.push(update);
    expect(updates[0]).toMatchObject({ type: "execution-started", seq: 1, runtime: "node" });
    expect(updates.at(-1)).toMatchObject({ type: "execution-completed", outputs: { greeting: "Hello Ada" } });
    expect(updates.map(({ seq }) => seq)).toEqual(updates.map((_, i) => i + 1));
  });

  it("has values, not markers: what looks like one stays what it is, and bytes are bytes", async () => {
    const value = { $bytes: "AAEC" };
    const bytes = Uint8Array.of(1, 2, 3);
    const pass = (given: unknown) => ({
      workflow: {
        nodes: [
          { id: "x", type: "input", data: { name: "x" } },
          { id: "out", type: "output", data: { name: "x" } },
        ],
        edges: [{ source: "x", target: "out" }],
      },
      inputs: { x: given as typeof bytes },
    });
    for (const given of [value, bytes]) {
      const updates: ExecutionUpdate[] = [];
      for await (const update of execute(pass(given))) updates.push(update);
      expect(updates.at(-1)).toMatchObject({ type: "execution-completed", outputs: { x: given } });
    }
  });

  it.each([
    ["cancel()", (run: { cancel(): void }, _: AbortController) => run.cancel()],
    ["its signal", (_: unknown, controller: AbortController) => controller.abort()],
  ])("is ended by %s", async (_, end) => {
    const controller = new AbortController();
    const run = execute(SLOW, { signal: controller.signal });
    const updates: ExecutionUpdate[] = [];
    for await (const update of run) {
      updates.push(update);
      if (update.type === "node-started" && update.nodeId === "wait") end(run, controller);
    }
    expect(updates.filter(isTerminal)).toEqual([
      expect.objectContaining({ type: "execution-cancelled", reason: "client" }),
    ]);
  });

  it("tells what is wrong with a request at the first read", async () => {
    const read = async (request: unknown) => {
      for await (const _ of execute(request as typeof GREETING)) break;
    };
    await expect(read({ nodes: 5 })).rejects.toMatchObject({ code: "INVALID_REQUEST" });
    await expect(read({ nodes: [{ id: "a", type: "nothing" }] })).rejects.toMatchObject({
      code: "INVALID_WORKFLOW",
    });
  });

  it("comes in batches for those who want them", async () => {
    const sizes: number[] = [];
    for await (const batch of execute({ workflow: GREETING, inputs: { name: "x" } }).batches()) {
      sizes.push(batch.length);
    }
    expect(sizes.every((size) => size > 0)).toBe(true);
  });
});

describe("this host", () => {
  it("is known by its name", () => expect(thisRuntime()).toBe("node"));

  it("has a clock whose turns let others go first, and whose timers can be cancelled", async () => {
    const clock = webClock();
    const order: string[] = [];
    setImmediate(() => order.push("other"));
    const cancelled = clock.setTimer(() => order.push("cancelled"), 0);
    cancelled.cancel();
    await clock.turn();
    order.push("turn");
    await new Promise<void>((resolve) => clock.setTimer(resolve, 5));
    expect(order).toEqual(["other", "turn"]);
  });

  it("has random bytes", () => {
    const [one, other] = [webRandom(16), webRandom(16)];
    expect(one).toHaveLength(16);
    expect(one).not.toEqual(other);
  });
});
