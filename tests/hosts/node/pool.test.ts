import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { NodeType, NodeTypes, Runner } from "../../../compute/engine/index.ts";
import { execute } from "../../../compute/hosts/local.ts";
import { poolRunner } from "../../../compute/hosts/node-pool.ts";
import { builtinNodes } from "../../../compute/nodes/index.ts";
import type { ExecuteRequestInput, ExecutionUpdate } from "../../../protocol/index.ts";
import { runnerContract } from "../../contract/runner.ts";
import { nodeTypes as heavyNodes } from "../../support/heavy-nodes.ts";

const MODULE = new URL("../../support/heavy-nodes.ts", import.meta.url);
const types: NodeTypes = new Map([...builtinNodes, ...heavyNodes.map((type) => [type.type, type] as const)]);

const shared = poolRunner({ types: MODULE, processes: 2 });
afterAll(() => shared.close());

/** Has everything that can be placed placed in the pool, whatever it costs. */
const everything: Runner = { start: (task) => shared.start({ ...task, cost: "heavy" }) };
runnerContract("of a pool of processes", () => ({ runner: everything, types: builtinNodes }));

const one = (type: string, data: object = {}, policy: object = {}) => ({
  nodes: [{ id: "n", type, data, policy }],
});

async function run(
  request: ExecuteRequestInput | ExecuteRequestInput["workflow"],
  runner: Runner = shared,
  each?: (update: ExecutionUpdate, cancel: () => void) => void | Promise<void>,
): Promise<ExecutionUpdate[]> {
  const updates: ExecutionUpdate[] = [];
  const execution = execute(request as ExecuteRequestInput, { types, runner });
  for await (const update of execution) {
    updates.push(update);
    await each?.(update, () => execution.cancel());
  }
  return updates;
}

const outputs = (updates: readonly ExecutionUpdate[]) =>
  updates.flatMap((update) => (update.type === "node-output" ? [update.value] : []));
const failures = (updates: readonly ExecutionUpdate[]) =>
  updates.flatMap((update) => (update.type === "node-failed" ? [update.error] : []));
const where = async (runner?: Runner) => outputs(await run(one("where"), runner))[0] as number;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** How long after its start the node failed. */
function lasted(updates: readonly ExecutionUpdate[]): number {
  const at = (type: string) => updates.find((update) => update.type === type)?.timestamp ?? Number.NaN;
  return at("node-failed") - at("node-started");
}

describe("a heavy node", () => {
  test("runs in a process of its own, which is used again", async () => {
    const updates = await run(one("where"));
    expect(updates).toContainEqual(
      expect.objectContaining({
        type: "node-started",
        executor: { kind: "pool", id: expect.any(String) },
      }),
    );
    const [pid] = outputs(updates);
    expect(pid).not.toBe(process.pid);
    expect(await where()).toBe(pid);
  });

  test("is not told what the service is configured by", async () => {
    process.env["NODEFLOW_TOKENS"] = "name:0123456789abcdef";
    try {
      await using fresh = poolRunner({ types: MODULE });
      const [names] = outputs(await run(one("environment"), fresh));
      expect(names).toContain("PATH");
      expect((names as string[]).filter((name) => name.startsWith("NODEFLOW_"))).toEqual([]);
    } finally {
      delete process.env["NODEFLOW_TOKENS"];
    }
  });

  test("logs, tells its progress, asks and waits as it would here", async () => {
    const elsewhere = await run({ workflow: one("speak"), answers: { n: { value: "Ada" } } });
    expect(elsewhere).toContainEqual(expect.objectContaining({ type: "node-log", message: "hello" }));
    expect(elsewhere).toContainEqual(
      expect.objectContaining({ type: "node-progress", completed: 1, total: 2, message: "half" }),
    );
    const begun = elsewhere[0] as Extract<ExecutionUpdate, { type: "execution-started" }>;
    const identity = { attempt: 1, runtime: "node", executionId: begun.executionId };
    expect(outputs(elsewhere)).toMatchObject(["Ada", "waited", identity]);
    const here = await run({
      workflow: one("speak"),
      answers: { n: { value: "Ada" } },
      options: { seed: begun.seed },
    });
    expect(outputs(here)).toMatchObject([
      "Ada",
      "waited",
      { seed: (outputs(elsewhere)[2] as { seed: string }).seed },
    ]);
  });

  test("suspends the run while nobody answers", async () => {
    const updates = await run(one("speak"));
    expect(updates.at(-1)).toMatchObject({ type: "execution-suspended", pending: ["n"] });
  });

  test("computes no further than its reader has room", async () => {
    let logged = 0;
    let most = 0;
    let read = 0;
    await run({ workflow: one("count", { to: 3_000 }) }, shared, async (update) => {
      if (update.type === "node-log") logged += 1;
      if (update.type === "node-output") read += 1;
      most = Math.max(most, logged - read);
      if (read % 100 === 0) await new Promise(setImmediate);
    });
    expect(read).toBe(3_000);
    // What the reader has not taken (1024 updates), and what the process is ahead.
    expect(most).toBeLessThan(1_200);
  });
});

describe("a heavy node that doesn't end", () => {
  test.each(["spin", "native-loop"])("is killed when its time is up: %s", async (type) => {
    const before = await where();
    const updates = await run(one(type, {}, { timeoutMs: 300 }));
    expect(failures(updates)).toMatchObject([{ code: "NODE_TIMEOUT" }]);
    expect(lasted(updates)).toBeLessThan(400);
    // The one that was warm is the one that was taken: it is gone, and another takes its place.
    await expect.poll(() => isAlive(before), { interval: 5, timeout: 1_000 }).toBe(false);
    expect(await where()).not.toBe(before);
  });

  test.each(["spin", "native-loop", "stubborn"])("is killed when the run is cancelled: %s", async (type) => {
    const before = await where();
    let cancelledAt = 0;
    const updates = await run(one(type), shared, async (update, cancel) => {
      const begun = type === "stubborn" ? "node-output" : "node-started";
      if (update.type !== begun) return;
      cancelledAt = performance.now();
      cancel();
    });
    expect(updates.at(-1)?.type).toBe("execution-cancelled");
    expect(performance.now() - cancelledAt).toBeLessThan(100);
    await expect.poll(() => isAlive(before), { interval: 5, timeout: 1_000 }).toBe(false);
  });

  test("takes no other attempt with it", async () => {
    const workflow = {
      nodes: [
        { id: "bad", type: "native-loop", policy: { timeoutMs: 100, onError: "skip" } },
        { id: "good", type: "burn", data: { ms: 10, count: 30 } },
      ],
    };
    const updates = await run({ workflow });
    expect(updates.at(-1)?.type).toBe("execution-completed");
    expect(outputs(updates)).toHaveLength(30);
  });
});

describe("a process that ends by itself", () => {
  test("fails its attempt alone, which may be tried again", async () => {
    const updates = await run(one("exit", {}, { retry: { maxAttempts: 2, delayMs: 1 } }));
    expect(failures(updates)).toMatchObject([
      { code: "NODE_FAILED", retryable: true },
      { code: "NODE_FAILED", retryable: true },
    ]);
    expect(await where()).toBeGreaterThan(0);
  });

  test("because it had no memory left, fails it for good", async () => {
    await using small = poolRunner({ types: MODULE, memoryMb: 40 });
    expect(failures(await run(one("hog"), small))).toMatchObject([
      { code: "RESOURCE_EXHAUSTED", retryable: false },
    ]);
  });

  test("before it is ready fails what wanted it, and says why", async () => {
    await using broken = poolRunner({ types: new URL("./no-such-module.ts", import.meta.url) });
    const [failure] = failures(await run(one("where"), broken));
    expect(failure?.message).toContain("no-such-module");
    expect(failure?.retryable).toBe(false);
  });

  test("or can't even be made fails what wanted it", async () => {
    // More than the system takes as one variable.
    process.env["TOO_LARGE"] = "x".repeat(256 * 1_024);
    try {
      await using broken = poolRunner({ types: MODULE });
      const request = { workflow: one("where"), options: { timeoutMs: 2_000 } };
      expect(failures(await run(request, broken))).toMatchObject([{ code: "NODE_FAILED", retryable: false }]);
    } finally {
      delete process.env["TOO_LARGE"];
    }
  });
});

describe("where nodes run that", () => {
  const spy = (type: NodeType, options: Parameters<typeof poolRunner>[0]) => async () => {
    await using runner = poolRunner(options);
    const own: NodeTypes = new Map([...types, [type.type, type]]);
    const updates: ExecutionUpdate[] = [];
    for await (const update of execute({ workflow: one(type.type) }, { types: own, runner }))
      updates.push(update);
    return updates.find((update) => update.type === "node-started")?.executor.kind;
  };
  const own: NodeType = { ...(heavyNodes.find(({ type }) => type === "where") as NodeType), type: "own" };

  test("cost little: here", async () => {
    expect(await spy({ ...own, cost: "light", execute: () => [] }, { types: MODULE })()).toBe("local");
  });

  test("the processes don't know: here", async () => {
    const quick = { ...own, execute: () => [] };
    expect(await spy(quick, { types: MODULE })()).toBe("local");
    expect(await spy(quick, {})()).toBe("local");
  });

  test("have a place of their own: there", async () => {
    const placed: NodeType = { ...own, place: async () => ({ executor: { kind: "server" }, emissions: [] }) };
    expect(await spy(placed, { types: MODULE })()).toBe("server");
  });
});

describe("the condition of a loop", () => {
  const loop = (condition: string) => ({
    nodes: [
      { id: "from", type: "constant", data: { value: 0 } },
      {
        id: "loop",
        type: "loop",
        data: {
          while: condition,
          maxIterations: 10,
          workflow: {
            nodes: [
              { id: "value", type: "input", data: { name: "value" } },
              { id: "more", type: "transform", data: { expression: "$ + 1" } },
              { id: "out", type: "output", data: { name: "value" } },
            ],
            edges: [
              { source: "value", target: "more" },
              { source: "more", target: "out" },
            ],
          },
        },
      },
    ],
    edges: [{ source: "from", target: "loop" }],
  });
  const watched = async (condition: string) => {
    const heavy: string[] = [];
    const runner: Runner = {
      start(task) {
        if (task.cost === "heavy") heavy.push(`${task.node.type} ${task.context.path}`);
        return shared.start(task);
      },
    };
    const updates = await run({ workflow: loop(condition) }, runner);
    return { heavy, value: outputs(updates).at(-1), last: updates.at(-1)?.type };
  };

  test("is computed elsewhere where it may take long", async () => {
    expect(await watched("$count($match('aaa', /a/)) > $iteration")).toEqual({
      heavy: Array.from({ length: 4 }, () => "transform loop"),
      value: 3,
      last: "execution-completed",
    });
  });

  test("and here where it can't", async () => {
    expect(await watched("$ < 3")).toEqual({ heavy: [], value: 3, last: "execution-completed" });
  });

  test("ends with the loop", async () => {
    const slow = "$count($match($pad('a', 20000, 'a'), /a.*b|a/)) > $iteration";
    let cancelledAt = 0;
    const updates = await run({ workflow: loop(slow) }, shared, (update, cancel) => {
      if (update.type !== "node-started" || update.nodeId !== "loop") return;
      cancelledAt = performance.now();
      cancel();
    });
    expect(updates.at(-1)?.type).toBe("execution-cancelled");
    expect(performance.now() - cancelledAt).toBeLessThan(200);
  });
});

describe("attempts that find no process free", () => {
  test("wait for one, in their order, without their time running", async () => {
    await using single = poolRunner({ types: MODULE, processes: 1 });
    const nodes = [1, 2, 3, 4].map((n) => ({
      id: `n${n}`,
      type: "burn",
      data: { ms: 60 },
      policy: { timeoutMs: 150 },
    }));
    const updates = await run({ workflow: { nodes } }, single);
    expect(updates.at(-1)?.type).toBe("execution-completed");
    const order = updates.flatMap((update) =>
      update.type === "node-started" || update.type === "node-completed"
        ? [`${update.nodeId} ${update.type}`]
        : [],
    );
    expect(order).toEqual(nodes.flatMap(({ id }) => [`${id} node-started`, `${id} node-completed`]));
  });

  test("and whose run ends meanwhile leave nothing behind", async () => {
    await using single = poolRunner({ types: MODULE, processes: 1 });
    const nodes = [1, 2, 3].map((n) => ({ id: `n${n}`, type: "spin", policy: { timeoutMs: 100 } }));
    const updates = await run({ workflow: { nodes } }, single);
    expect(updates.filter(({ type }) => type === "node-started")).toHaveLength(1);
    expect(await where(single)).toBeGreaterThan(0);
  });
});

describe("an attempt that gets its process when its run has just failed", () => {
  test("doesn't begin", async () => {
    await using single = poolRunner({ types: MODULE, processes: 1 });
    const folder = mkdtempSync(join(tmpdir(), "pool-"));
    const file = join(folder, "begun");
    try {
      const nodes = [
        { id: "a", type: "fail", data: { ms: 50 } },
        { id: "b", type: "touch", data: { file } },
      ];
      const updates = await run({ workflow: { nodes } }, single);
      expect(updates.at(-1)?.type).toBe("execution-failed");
      // What the process was given before would be done by now.
      await where(single);
      expect(existsSync(file)).toBe(false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("heavy nodes that read each other's items as they come", () => {
  test("don't wait for each other's processes for ever", async () => {
    await using single = poolRunner({ types: MODULE, processes: 1 });
    const workflow = {
      nodes: [
        { id: "e", type: "emit", data: { count: 2_000 } },
        { id: "r", type: "relay" },
        { id: "s", type: "relay" },
      ],
      edges: [
        { source: "e", target: "r", targetHandle: "live" },
        { source: "r", target: "s", targetHandle: "live" },
      ],
    };
    const updates = await run({ workflow, options: { timeoutMs: 20_000 } }, single);
    expect(updates.at(-1)?.type).toBe("execution-completed");
  });
});

describe("nothing is left behind", () => {
  test("once a pool is closed: no process, no listener", async () => {
    const listeners = process.listenerCount("exit");
    const runner = poolRunner({ types: MODULE, processes: 2 });
    expect(process.listenerCount("exit")).toBe(listeners);
    const pid = await where(runner);
    await runner.close();
    expect(isAlive(pid)).toBe(false);
    expect(process.listenerCount("exit")).toBe(listeners);
  });

  test("when the process that has the pool dies of a sudden, whatever its nodes do", async () => {
    const here = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
    const program = `
      const { execute } = await import(${here("../../../compute/hosts/local.ts")});
      const { poolRunner } = await import(${here("../../../compute/hosts/node-pool.ts")});
      const { nodeTypes } = await import(${here("../../support/heavy-nodes.ts")});
      const runner = poolRunner({ types: new URL(${here("../../support/heavy-nodes.ts")}), processes: 1 });
      const types = new Map(nodeTypes.map((type) => [type.type, type]));
      const nodes = [{ id: "a", type: "where" }, { id: "b", type: "native-loop" }];
      for await (const update of execute({ workflow: { nodes, edges: [] } }, { types, runner })) {
        if (update.type === "node-output") console.log(update.value);
        if (update.type === "node-started" && update.nodeId === "b") process.kill(process.pid, "SIGKILL");
      }
    `;
    const parent = spawn(process.execPath, ["--input-type=module", "--eval", program], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    let printed = "";
    parent.stdout?.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
    await once(parent, "exit");
    const pid = Number(printed);
    expect(pid).toBeGreaterThan(0);
    await expect.poll(() => isAlive(pid), { interval: 50, timeout: 5_000 }).toBe(false);
  });

  test("by processes that have nothing to do, but one", async () => {
    await using runner = poolRunner({ types: MODULE, processes: 2, idleMs: 20 });
    const nodes = ["a", "b"].map((id) => ({ id, type: "where" }));
    const pids = new Set<unknown>();
    const both = [{ id: "c", type: "burn", data: { ms: 200 } }, ...nodes];
    for (const pid of outputs(await run({ workflow: { nodes: both } }, runner))) pids.add(pid);
    const alive = () => [...pids].filter((pid) => typeof pid === "number" && pid > 0 && isAlive(pid)).length;
    await expect.poll(alive, { timeout: 2_000 }).toBeLessThan(2);
  });
});
