import { describe, expect, it } from "vitest";
import {
  checkpointOf,
  type ExecutionUpdate,
  fold,
  isTerminal,
  type Workflow,
} from "../../../protocol/index.ts";
import { allOf, post, updatesOf, waiting } from "./service-harness.ts";
import { startProcess } from "./service-process.ts";

const RUNS = 50;

/** Two nodes that complete at once, and one that takes `ms`. */
const STEPS = (ms: number): Workflow => ({
  nodes: [
    { id: "given", type: "constant", data: { value: 20 } },
    { id: "double", type: "transform", data: { expression: "$ * 2" } },
    { id: "slow", type: "delay", data: { ms } },
    { id: "plus", type: "transform", data: { expression: "$ + 2" } },
    { id: "out", type: "output", data: { name: "answer" } },
  ],
  edges: [
    { source: "given", target: "double" },
    { source: "double", target: "slow" },
    { source: "slow", target: "plus" },
    { source: "plus", target: "out" },
  ],
});

describe("SIGTERM with 50 runs under way", () => {
  it("lets short runs end, cancels long ones, gives each exactly one end, and exits with 0", async () => {
    await using service = await startProcess({ NODEFLOW_GRACE_MS: "1500" });
    const responses = await Promise.all(
      Array.from({ length: RUNS }, (_, i) => post(service.url, waiting(i % 2 === 0 ? 700 : 60_000))),
    );
    const streams = responses.map((response) => allOf(response));
    service.stop("SIGTERM");
    const ends = (await Promise.all(streams)).map((updates) => {
      expect(updates.map(({ seq }) => seq)).toEqual(updates.map((_, i) => i + 1));
      expect(updates.filter(isTerminal)).toEqual([updates.at(-1)]);
      return updates.at(-1) as ExecutionUpdate;
    });
    expect(ends.filter(({ type }) => type === "execution-completed")).toHaveLength(RUNS / 2);
    expect(
      ends.filter((end) => end.type === "execution-cancelled" && end.reason === "shutdown"),
    ).toHaveLength(RUNS / 2);
    expect(await service.exit).toBe(0);
    expect(service.errors()).toBe("");
  });

  it("leaves with each client what another instance needs to finish its run, without starting again what had completed", async () => {
    await using first = await startProcess({ NODEFLOW_GRACE_MS: "0" });
    await using second = await startProcess();
    const responses = await Promise.all(Array.from({ length: RUNS }, () => post(first.url, STEPS(60_000))));
    const waitingFor = "slow";
    let begun = 0;
    const streams = responses.map(async (response) => {
      const updates: ExecutionUpdate[] = [];
      for await (const update of updatesOf(response)) {
        updates.push(update);
        if (update.type === "node-started" && update.nodeId === waitingFor) {
          begun += 1;
          if (begun === RUNS) first.stop("SIGTERM");
        }
      }
      return updates;
    });
    for (const updates of await Promise.all(streams)) {
      expect(updates.at(-1)).toMatchObject({ type: "execution-cancelled", reason: "shutdown" });
      const checkpoint = checkpointOf(fold(updates), STEPS(60_000));
      const resumed = await allOf(await post(second.url, { workflow: STEPS(1), checkpoint }));
      expect(resumed.at(-1)).toMatchObject({ type: "execution-completed", outputs: { answer: 42 } });
      const startedAgain = resumed
        .filter((update) => update.type === "node-started")
        .map(({ nodeId }) => nodeId);
      expect(startedAgain).not.toContain("given");
      expect(startedAgain).not.toContain("double");
      expect(resumed[0]).toMatchObject({ runId: checkpoint.runId });
    }
    expect(await first.exit).toBe(0);
  });
});

describe("starting", () => {
  it.each([
    [{ HOST: "0.0.0.0" }, "NODEFLOW_TOKENS"],
    [{ PORT: "many" }, "PORT"],
    [{ NODEFLOW_TOKENS: "x" }, "NODEFLOW_TOKENS"],
    [{ NODEFLOW_MAX_NODES: "-1" }, "NODEFLOW_MAX_NODES"],
  ])("with %j fails in one line that names the variable", async (variables, name) => {
    const failure: unknown = await startProcess(variables).catch((cause: unknown) => cause);
    expect(String(failure)).toContain(name);
    expect(String(failure)).toMatch(/ended with 2/);
    expect(String(failure)).not.toMatch(/\n\s+at /);
  });
});
