import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createClient, type Run, RunInterrupted } from "../../../compute/client/index.ts";
import {
  type ExecutionState,
  type ExecutionUpdate,
  fold,
  isTerminal,
  NodeflowError,
  type Workflow,
} from "../../../protocol/index.ts";
import { Prng } from "../../support/random.ts";
import { type Served, serve } from "./service-harness.ts";
import { startProcess } from "./service-process.ts";

const nested = (ms: number): Workflow => ({
  nodes: [
    { id: "item", type: "input", data: { name: "item" } },
    { id: "wait", type: "delay", data: { ms } },
    { id: "double", type: "transform", data: { expression: "$ * 2" } },
    { id: "out", type: "output", data: { name: "out" } },
  ],
  edges: [
    { source: "item", target: "wait" },
    { source: "wait", target: "double" },
    { source: "double", target: "out" },
  ],
});

/** Nodes before, beside and after a map that takes its time; a live reader of it, and a branch not taken. */
const workflow = (items: number, ms: number): Workflow => ({
  nodes: [
    { id: "numbers", type: "range", data: { from: 1, to: items } },
    { id: "slow", type: "map", data: { concurrency: 2, workflow: nested(ms) } },
    { id: "live", type: "transform", data: { each: true, expression: "$ + 1" } },
    { id: "side", type: "delay", data: { ms: ms * 3 } },
    {
      id: "branch",
      type: "switch",
      data: { cases: [{ handle: "few", when: "$count($) < 3" }], otherwise: "many" },
    },
    { id: "never", type: "template", data: { text: "few" } },
    { id: "sum", type: "transform", data: { expression: "$sum($)" } },
    { id: "result", type: "output", data: { name: "sum" } },
  ],
  edges: [
    { source: "numbers", target: "slow" },
    { source: "slow", target: "live" },
    { source: "numbers", target: "side" },
    { source: "side", target: "branch" },
    { source: "branch", sourceHandle: "few", target: "never", targetHandle: "in" },
    { source: "live", target: "sum" },
    { source: "sum", target: "result" },
  ],
});

const expected = (items: number) => items * (items + 1) + items;

async function collect(run: Run, onUpdate: (update: ExecutionUpdate) => void = () => undefined) {
  const updates: ExecutionUpdate[] = [];
  for await (const update of run) {
    updates.push(update);
    onUpdate(update);
  }
  return updates;
}

/** What every caller may rely on, however often the run changed hands. */
function expectOneStream(updates: readonly ExecutionUpdate[]): void {
  expect(updates.map((update) => update.seq)).toEqual(updates.map((_, i) => i + 1));
  expect(updates.filter((update) => update.type === "execution-started")).toHaveLength(1);
  expect(updates.filter(isTerminal)).toHaveLength(1);
  expect(isTerminal(updates.at(-1) as ExecutionUpdate)).toBe(true);
}

/** Paths that began although they had completed before, and were not run because of an edit or a failure. */
function startedAgain(updates: readonly ExecutionUpdate[]): string[] {
  const completed = new Set<string>();
  const again: string[] = [];
  for (const update of updates) {
    if (update.type === "node-completed") completed.add(update.nodeId);
    if (update.type !== "node-started") continue;
    if (completed.has(update.nodeId)) again.push(update.nodeId);
  }
  return again;
}

/** Top-level nodes and their outputs: what is inside of a reused container is not told again. */
function essence(state: ExecutionState): unknown {
  const nodes = [...state.nodes].filter(([path]) => !path.includes("/"));
  return {
    outputs: state.outputs,
    nodes: nodes.map(([path, { status, outputs }]) => [path, status, { ...outputs }]).sort(),
  };
}

describe("a run whose service is killed", () => {
  test.each(["SIGKILL", "SIGTERM"] as const)(
    "by %s in the middle is finished by a second one",
    async (signal) => {
      await using first = await startProcess({ NODEFLOW_GRACE_MS: "0" });
      await using second = await startProcess();
      const client = createClient({ url: [first.url, second.url] });
      const run = client.execute({ workflow: workflow(40, 20) });
      let emitted = 0;
      const updates = await collect(run, (update) => {
        if (update.type === "node-output" && update.nodeId === "slow") emitted += 1;
        if (emitted === 15) first.stop(signal);
      });
      expectOneStream(updates);
      expect(await run.result).toMatchObject({ status: "completed", outputs: { sum: expected(40) } });
      expect(await first.exit).toBe(signal === "SIGKILL" ? "SIGKILL" : 0);
      expect(startedAgain(updates)).toEqual([]);
      const reused = updates.filter((update) => update.type === "node-reused");
      expect(reused.length).toBeGreaterThan(5);
      expect(fold(updates).outputs).toEqual({ sum: expected(40) });
    },
  );

  test("and nobody else is there ends with the checkpoint, from which any other finishes it", async () => {
    await using first = await startProcess();
    const client = createClient({ url: first.url, patience: { tries: 2, firstMs: 1 } });
    const run = client.execute({ workflow: workflow(20, 20) });
    const failing = collect(run, (update) => {
      if (update.type === "node-output" && update.nodeId === "slow") first.stop("SIGKILL");
    });
    const error = await run.result.then(
      () => expect.unreachable(),
      (reason: unknown) => reason,
    );
    await expect(failing).rejects.toBe(error);
    if (!(error instanceof RunInterrupted) || !error.checkpoint) return expect.unreachable();
    await using second = await serve();
    const { checkpoint } = error;
    const rest = createClient({ url: second.url }).execute({ workflow: workflow(20, 20), checkpoint });
    expect(await rest.result).toMatchObject({ status: "completed", outputs: { sum: expected(20) } });
  });
});

describe("a run over a connection that breaks", () => {
  const SEEDS = Array.from({ length: 24 }, (_, i) => i + 1);
  let served: Served;
  beforeAll(async () => {
    served = await serve();
  });
  afterAll(() => served[Symbol.asyncDispose]());

  test.each(SEEDS)("at random places (seed %d) is seen as one, and comes to the same state", async (seed) => {
    const random = new Prng(seed);
    const flow = workflow(6, 4);
    const uncut = fold(await collect(createClient({ url: served.url }).execute({ workflow: flow })));
    let cuts = random.int(1, 4);
    const client = createClient({
      url: served.url,
      patience: { firstMs: 1, tries: 10 },
      async fetch(url, init) {
        const response = await fetch(url, init);
        if (cuts === 0 || !response.body || init.method !== "POST") return response;
        cuts -= 1;
        return new Response(response.body.pipeThrough(cutAfter(random.int(0, 14_000))), {
          headers: response.headers,
        });
      },
    });
    const run = client.execute({ workflow: flow });
    const updates = await collect(run);
    expectOneStream(updates);
    expect(startedAgain(updates)).toEqual([]);
    expect(essence(fold(updates))).toEqual(essence(uncut));
    expect(run.checkpoint()?.nodes).toHaveProperty("sum");
  });
});

function cutAfter(bytes: number): TransformStream<Uint8Array, Uint8Array> {
  let left = bytes;
  return new TransformStream({
    transform(chunk, controller) {
      controller.enqueue(chunk.slice(0, left));
      left -= chunk.length;
      if (left <= 0) controller.error(new TypeError("terminated"));
    },
  });
}

describe("the other calls", () => {
  test("cancel reaches the service, which ends the run", async () => {
    await using served = await serve();
    const client = createClient({ url: served.url });
    const run = client.execute({ workflow: workflow(10_000, 50) });
    const updates = await collect(run, (update) => {
      if (update.type === "node-output" && update.nodeId === "slow") void run.cancel();
    });
    expectOneStream(updates);
    expect(updates.at(-1)).toMatchObject({ type: "execution-cancelled", reason: "client" });
    expect(await run.result).toMatchObject({ status: "cancelled" });
    expect(await client.health()).toMatchObject({ status: "ok", executions: { active: 0 } });
  });

  test("tools answer, also inside of a map, and each question is asked once", async () => {
    await using served = await serve();
    const asks: Workflow = {
      nodes: [
        { id: "item", type: "input", data: { name: "item" } },
        { id: "ask", type: "tool", data: { tool: "double", args: "{{in}}", schema: { type: "number" } } },
        { id: "out", type: "output", data: { name: "out" } },
      ],
      edges: [
        { source: "item", target: "ask" },
        { source: "ask", target: "out" },
      ],
    };
    const calls: unknown[] = [];
    const run = createClient({ url: served.url }).execute(
      {
        workflow: {
          nodes: [
            { id: "n", type: "range", data: { from: 1, to: 5 } },
            { id: "m", type: "map", data: { workflow: asks } },
            { id: "o", type: "output", data: { name: "all" } },
          ],
          edges: [
            { source: "n", target: "m" },
            { source: "m", target: "o" },
          ],
        },
      },
      {
        tools: {
          double: (args) => {
            calls.push(args);
            return Number(args) * 2;
          },
        },
      },
    );
    const [updates, result] = await Promise.all([collect(run), run.result]);
    expectOneStream(updates);
    expect(result).toMatchObject({ status: "completed", outputs: { all: [2, 4, 6, 8, 10] } });
    expect(calls).toEqual([1, 2, 3, 4, 5]);
  });

  test("validate and capabilities say what the service says; a refusal has its code and places", async () => {
    await using served = await serve();
    const client = createClient({ url: served.url });
    const bad = { nodes: [{ id: "a", type: "nothing" }], edges: [] };
    expect(await client.validate(bad)).toMatchObject({
      valid: false,
      issues: [{ code: "UNKNOWN_NODE_TYPE" }],
    });
    expect(await client.capabilities()).toMatchObject({ protocol: 1, runtime: "node" });
    const refusal = await client.execute(bad).result.then(
      () => expect.unreachable(),
      (error: unknown) => error,
    );
    expect(refusal).toBeInstanceOf(NodeflowError);
    expect(refusal).toMatchObject({
      code: "INVALID_WORKFLOW",
      details: [{ path: "/workflow/nodes/0/type" }],
    });
  });
});
