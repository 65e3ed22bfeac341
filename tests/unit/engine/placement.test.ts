import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  createEngine,
  type Emission,
  type Execution,
  localRunner,
  type NodeContext,
  type NodeType,
  type Runner,
  type Task,
} from "../../../compute/engine/index.ts";
import {
  DEFAULT_LIMITS,
  ExecuteRequest,
  type ExecuteRequestInput,
  type ExecutionUpdate,
} from "../../../protocol/index.ts";
import { VirtualClock } from "../../support/clock.ts";

const node = (fields: Partial<NodeType>): NodeType => ({
  type: "it",
  description: "",
  data: z.object({ size: z.number().default(0) }),
  cost: "light",
  strongest: "pure",
  effect: () => "pure",
  handles: () => ({ inputs: {}, outputs: { out: "value" } }),
  execute: () => [{ value: "here" }],
  ...fields,
});

async function prepared(
  type: NodeType,
  more: { readonly runner?: Runner; readonly request?: Partial<ExecuteRequestInput>; policy?: object } = {},
): Promise<Execution> {
  const engine = createEngine({
    runtime: "node",
    types: new Map([[type.type, type]]),
    runner: more.runner ?? localRunner,
    clock: new VirtualClock(),
    random: (bytes) => new Uint8Array(bytes).fill(7),
    limits: DEFAULT_LIMITS,
  });
  const nodes = [{ id: "n", type: "it", data: { size: 3 }, ...(more.policy && { policy: more.policy }) }];
  const request = ExecuteRequest.parse({ workflow: { nodes }, ...more.request });
  return (await engine.prepare(request)).start();
}

async function run(...args: Parameters<typeof prepared>): Promise<ExecutionUpdate[]> {
  const updates: ExecutionUpdate[] = [];
  for await (const update of await prepared(...args)) updates.push(update);
  return updates;
}

const SANDBOX = { kind: "pool", id: "7" } as const;

/** Emissions that know whether they were let go of. */
class Emissions implements AsyncIterableIterator<Emission> {
  returned = 0;
  [Symbol.asyncIterator]() {
    return this;
  }
  async next(): Promise<IteratorResult<Emission>> {
    return { done: true, value: undefined };
  }
  async return(): Promise<IteratorResult<Emission>> {
    this.returned += 1;
    return { done: true, value: undefined };
  }
}

describe("a type with a place of its own", () => {
  test("runs there, and the start says so", async () => {
    const placed = node({ place: async () => ({ executor: SANDBOX, emissions: [{ value: "there" }] }) });
    const updates = await run(placed);
    expect(updates).toContainEqual(expect.objectContaining({ type: "node-started", executor: SANDBOX }));
    expect(updates.filter(({ type }) => type === "node-output")).toMatchObject([{ value: "there" }]);
  });

  test("has its timeout from when it has a place", async () => {
    const placed = node({
      async place(context) {
        await context.sleep(1_000);
        return { executor: SANDBOX, emissions: later(context, 80) };
      },
    });
    const updates = await run(placed, { policy: { timeoutMs: 100 } });
    expect(updates.at(-1)?.type).toBe("execution-completed");
    const late = node({
      place: async (context) => ({ executor: SANDBOX, emissions: later(context, 120) }),
    });
    expect((await run(late, { policy: { timeoutMs: 100 } })).at(-1)).toMatchObject({
      error: { code: "NODE_TIMEOUT" },
    });
  });

  test("fails as a started attempt if it finds no place", async () => {
    const placeless = node({
      async place() {
        throw new Error("full");
      },
    });
    const updates = await run(placeless);
    expect(updates.map(({ type }) => type)).toEqual([
      "execution-started",
      "node-started",
      "node-failed",
      "execution-failed",
    ]);
  });

  test("lets go of a place that it finds after the attempt has ended", async () => {
    const emissions = new Emissions();
    let execution: Execution | undefined;
    const slow = node({
      async place({ signal }) {
        execution?.cancel("client");
        expect(signal.aborted).toBe(true);
        return { executor: SANDBOX, emissions };
      },
    });
    execution = await prepared(slow);
    const updates: ExecutionUpdate[] = [];
    for await (const update of execution) updates.push(update);
    expect(emissions.returned).toBe(1);
    expect(updates.map(({ type }) => type)).toEqual(["execution-started", "execution-cancelled"]);
  });
});

async function* later(context: NodeContext, ms: number): AsyncGenerator<Emission> {
  await context.sleep(ms);
  yield { value: ms };
}

describe("a runner is told", () => {
  const watched = async (type: NodeType) => {
    const tasks: Task[] = [];
    const runner: Runner = {
      start(task) {
        tasks.push(task);
        return localRunner.start(task);
      },
    };
    await run(type, { runner });
    return tasks;
  };

  test("what the node costs by its data, or by its type", async () => {
    expect(await watched(node({}))).toMatchObject([{ cost: "light" }]);
    const byData = node({ costOf: (data) => ((data as { size: number }).size > 2 ? "heavy" : "trivial") });
    expect(await watched(byData)).toMatchObject([{ cost: "heavy" }]);
  });
});

test("a node knows its execution, which is no other's, whatever a checkpoint claims", async () => {
  const telling = node({ execute: ({ executionId }) => [{ value: executionId }] });
  const value = async (request: Partial<ExecuteRequestInput>) => {
    const updates = await run(telling, { request });
    const [started] = updates;
    const output = updates.find((update) => update.type === "node-output");
    return { told: started?.type === "execution-started" && started.executionId, known: output?.value };
  };
  const first = await value({});
  expect(first.known).toBe(first.told);
  const checkpoint = { protocol: 1, runId: "another's", seed: "s", nodes: {} } as const;
  const again = await value({ checkpoint });
  expect(again.known).toBe(again.told);
  expect(again.known).not.toBe("another's");
});
