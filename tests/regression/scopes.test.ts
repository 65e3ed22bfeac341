import { describe, expect, test } from "vitest";
import type { NodeContext } from "../../compute/engine/index.ts";
import { checkpointOf, ExecuteRequest, type ExecutionUpdate, fold } from "../../protocol/index.ts";
import { VirtualClock } from "../support/clock.ts";
import { begin, containerType, lines, nodeType, run } from "../support/own-nodes.ts";

const ROUNDS = 5_000;

class CountedTurns extends VirtualClock {
  turns = 0;

  override turn(): Promise<void> {
    this.turns += 1;
    return super.turn();
  }
}

/** Runs its workflow again and again, as quickly as it goes. */
const rounds = containerType("rounds", { nodes: [] }, async function* (context: NodeContext) {
  for (let round = 0; round < ROUNDS; round++) {
    await context.run({ scope: String(round), inputs: {}, given: round }).result;
  }
  yield { value: ROUNDS };
});
const workflow = {
  nodes: [
    { id: "r", type: "rounds", data: { workflow: { nodes: [], edges: [] } } },
    { id: "q", type: "tool", data: { tool: "sure" } },
  ],
};

describe("a container with very many nested runs", () => {
  test.each(["run", "reused"])("gives the event loop its turns: all of them %s", async (how) => {
    let checkpoint: ReturnType<typeof checkpointOf> | undefined;
    if (how === "reused") {
      const first: ExecutionUpdate[] = [];
      const execution = await begin({ workflow }, { types: [rounds] });
      for await (const update of execution) {
        first.push(update);
        if ("nodeId" in update && update.nodeId === `r/${ROUNDS - 1}`) break;
      }
      checkpoint = checkpointOf(fold(first), ExecuteRequest.parse({ workflow }).workflow);
    }
    const clock = new CountedTurns();
    const updates = await run({ workflow, ...(checkpoint && { checkpoint }) }, { types: [rounds], clock });
    const reused = updates.filter(({ type }) => type === "node-reused").length;
    expect(reused).toBe(how === "reused" ? ROUNDS - 1 : 0);
    expect(lines(updates)).toContain("node-completed r");
    // Each round takes the engine some steps; a slice has 4,096 at most, and here far fewer.
    expect(clock.turns).toBeGreaterThan(5);
  });

  test("may not give two of them one name", async () => {
    const names = ["0", "2", "a", "1", "2"];
    const twice = containerType("twice", { nodes: [] }, async function* (context: NodeContext) {
      for (const scope of names) await context.run({ scope, inputs: {} }).result;
      yield { value: 1 };
    });
    const updates = await run({ workflow: { nodes: [{ id: "c", type: "twice" }] } }, { types: [twice] });
    expect(updates.at(-1)).toMatchObject({
      type: "execution-failed",
      error: {
        code: "NODE_FAILED",
        message: 'The container has begun the scope "2" twice',
        retryable: false,
      },
    });
    expect(lines(updates).filter((line) => line === "node-started c/2")).toHaveLength(1);
  });

  test.each([
    ["twice without one", undefined],
    ["with a slash", "a/b"],
  ])("names them for paths: not %s", async (_, scope) => {
    const wrong = containerType("wrong", { nodes: [] }, async function* (context: NodeContext) {
      for (let time = 0; time < 2; time++) {
        await context.run({ ...(scope !== undefined && { scope }), inputs: {} }).result;
      }
      yield { value: 1 };
    });
    const updates = await run({ workflow: { nodes: [{ id: "c", type: "wrong" }] } }, { types: [wrong] });
    expect(updates.at(-1)).toMatchObject({ error: { code: "NODE_FAILED", retryable: false } });
  });

  test("may not iterate more often than the host allows", async () => {
    const loop = {
      id: "l",
      type: "loop",
      data: { workflow: { nodes: [] }, while: "false", maxIterations: 11 },
    };
    const request = {
      workflow: {
        nodes: [{ id: "c", type: "constant", data: { value: 1 } }, loop],
        edges: [{ source: "c", target: "l" }],
      },
    };
    await expect(run(request, { limits: { maxIterations: 10 } })).rejects.toMatchObject({
      code: "INVALID_WORKFLOW",
      details: [{ code: "INVALID_NODE_DATA", path: "/workflow/nodes/1/data", nodeId: "l" }],
    });
    expect((await run(request, { limits: { maxIterations: 11 } })).at(-1)?.type).toBe("execution-completed");
  });

  test("ends at once when it is cancelled in the middle of what it reuses", async () => {
    // What waits for its turn then must not keep the container from returning.
    const clock = new VirtualClock();
    const execution = await begin(
      { workflow: { nodes: [{ id: "r", type: "rounds", data: { workflow: { nodes: [], edges: [] } } }] } },
      { types: [rounds], clock },
    );
    let cancelled = 0;
    for await (const update of execution) {
      if ("nodeId" in update && update.nodeId === "r/999" && cancelled === 0) {
        cancelled = update.timestamp;
        execution.cancel("client");
      }
      if (update.type === "execution-cancelled") expect(update.timestamp - cancelled).toBeLessThan(1_000);
    }
    expect(cancelled).toBeGreaterThan(0);
  });
});

describe("what a checkpoint gives", () => {
  const request = {
    workflow: {
      nodes: [
        { id: "a", type: "constant", data: { value: 1 } },
        { id: "b", type: "constant", data: { value: 2 } },
      ],
    },
  };

  test("counts as reused only where it is selected", async () => {
    const checkpoint = checkpointOf(fold(await run(request)), ExecuteRequest.parse(request).workflow);
    const updates = await run({ ...request, checkpoint, options: { until: ["a"] } });
    expect(updates[0]).toMatchObject({ type: "execution-started", reused: 1 });
    expect(updates.at(-1)).toMatchObject({ metrics: { nodes: { reused: 1, skipped: 1 } } });
  });

  const texts = (policy: object) => ({ nodes: [{ id: "t", type: "texts", policy }] });
  const texting = nodeType("texts", () => [{ value: "run" }], {
    handles: () => ({ inputs: {}, outputs: { out: "text", log: "text" } }),
  });
  const withOutputs = (outputs: Record<string, unknown>) => ({
    protocol: 1 as const,
    runId: "0".repeat(32),
    seed: "s",
    nodes: { t: { status: "completed" as const, outputs: outputs as Record<string, never> } },
  });

  test.each([
    ["an `error` that the node can't have", { error: { code: "X", message: "" } }, {}, 0],
    ["an `error` beside other values", { error: {}, out: "x" }, { onError: "route" }, 0],
    ["a default that isn't the node's", { out: "x" }, { onError: "default", default: "y" }, 0],
    ["a routed failure", { error: { code: "X", message: "" } }, { onError: "route" }, 1],
    ["a failure's default", { out: "y" }, { onError: "default", default: "y" }, 1],
    ["all values", { out: "x", log: "" }, {}, 1],
  ])("is taken where it could have come of the node: %s", async (_, outputs, policy, reused) => {
    const checkpoint = withOutputs(outputs);
    const updates = await run({ workflow: texts(policy), checkpoint }, { types: [texting] });
    expect(updates[0]).toMatchObject({ reused });
  });
});
