import { describe, expect, it } from "vitest";
import { createEngine, localRunner } from "../../compute/engine/index.ts";
import { builtinNodes } from "../../compute/nodes/index.ts";
import { DEFAULT_LIMITS, type ExecutionUpdate, NodeflowError } from "../../protocol/index.ts";
import { VirtualClock } from "../support/clock.ts";
import { Prng } from "../support/random.ts";
import type { Case, Execute } from "./case.ts";
import { inProcess } from "./in-process.ts";
import { runCase, runTopics } from "./run.ts";
import { topics } from "./topics.ts";

const right: Execute = (body) =>
  inProcess(
    createEngine({
      runtime: "node",
      types: builtinNodes,
      runner: localRunner,
      clock: new VirtualClock(),
      random: new Prng(1).bytes,
      limits: DEFAULT_LIMITS,
    }),
  )(body);

/** An implementation that does something else with its updates. */
const wrong = (change: (updates: ExecutionUpdate[]) => readonly unknown[]): Execute =>
  async function* (body) {
    const updates: ExecutionUpdate[] = [];
    for await (const update of right(body)) updates.push(update);
    yield* change(updates) as ExecutionUpdate[];
  };

const renumbered = (updates: readonly object[]) =>
  updates.map((update, index) => ({ ...update, seq: index + 1 }));
const without = (type: string) => (updates: ExecutionUpdate[]) =>
  renumbered(updates.filter((update) => update.type !== type));
const find = (topic: string, name: string) =>
  topics.find((one) => one.topic === topic)?.cases.find((one) => one.name === name) as Case;

describe("the runner of fixtures", () => {
  const mapping = find("map", "items in order");

  it("finds nothing wrong with what is right", async () => {
    expect(await runCase(mapping, right)).toEqual([]);
  });

  it.each<[string, (updates: ExecutionUpdate[]) => readonly unknown[]]>([
    ["a gap in seq", (updates) => updates.toSpliced(3, 1)],
    ["no first update", (updates) => renumbered(updates.slice(1))],
    ["no terminal update", (updates) => updates.slice(0, -1)],
    ["two terminal updates", (updates) => renumbered([...updates, updates.at(-1) as object])],
    ["a missing completion", without("node-completed")],
    ["missing outputs", without("node-output")],
    [
      "a wrong value",
      (updates) => updates.map((one) => (one.type === "node-output" ? { ...one, value: 7 } : one)),
    ],
    ["a wrong result", (updates) => updates.map((one) => ("outputs" in one ? { ...one, outputs: {} } : one))],
    ["an unknown path", (updates) => updates.map((one) => ("nodeId" in one ? { ...one, nodeId: "x" } : one))],
    [
      "another end",
      (updates) => updates.with(-1, { ...updates.at(-1), type: "execution-failed" } as ExecutionUpdate),
    ],
    [
      "updates of a path in another order",
      (updates) => renumbered(updates.toSorted((a, b) => (a.type < b.type ? -1 : 1))),
    ],
  ])("sees %s", async (_, change) => {
    expect(await runCase(mapping, wrong(change))).not.toEqual([]);
  });

  it("sees a refusal of what is valid, and one with another code", async () => {
    const refusing: Execute = async function* () {
      yield* [];
      throw new NodeflowError("INVALID_WORKFLOW", "no", { details: [] });
    };
    expect(await runCase(mapping, refusing)).not.toEqual([]);
    expect(await runCase(find("invalid", "CYCLE_DETECTED"), refusing)).not.toEqual([]);
    expect(await runCase(find("invalid", "INVALID_REQUEST for what is no object"), refusing)).not.toEqual([]);
  });

  it("sees that something invalid was run", async () => {
    const running: Execute = () => right(JSON.stringify(mapping.request));
    expect(await runCase(find("invalid", "CYCLE_DETECTED"), running)).not.toEqual([]);
  });

  it("sees wrong hashes", async () => {
    const changed = (updates: ExecutionUpdate[]) =>
      updates.map((one) => ("item" in one ? { ...one, item: "x".repeat(22) } : one));
    expect(await runCase(find("hashes", "the item of a map's scope"), wrong(changed))).not.toEqual([]);
  });

  it("fails every case that expects something, if nothing is done at all", async () => {
    const idle: Execute = async function* () {
      yield* [];
    };
    const failures = await runTopics(topics, idle);
    expect(failures).toHaveLength(topics.reduce((sum, { cases }) => sum + cases.length, 0));
  });
});
