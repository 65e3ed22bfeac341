import { describe, expect, it } from "vitest";
import {
  type Checkpoint,
  checkpointOf,
  fingerprints,
  finish,
  fold,
  type Value,
  type Workflow,
} from "../../../protocol/index.ts";
import {
  began,
  completed,
  done,
  type Event,
  failed,
  item,
  reset,
  reused,
  set,
  skipped,
  started,
  updates,
} from "./run.ts";
import { same } from "./value.ts";

const inner: Workflow = {
  nodes: [
    { id: "i", type: "input", data: { name: "item" } },
    { id: "w", type: "work" },
    { id: "o", type: "output", data: { name: "r" } },
  ],
  edges: [
    { source: "i", target: "w" },
    { source: "w", target: "o", sourceHandle: "res" },
  ],
};
const workflow: Workflow = {
  nodes: [
    { id: "in", type: "input", data: { name: "x" } },
    { id: "m", type: "map", data: { workflow: inner } },
    { id: "out", type: "output", data: { name: "all" } },
  ],
  edges: [
    { source: "in", target: "m" },
    { source: "m", target: "out" },
  ],
};

const entries = (
  events: readonly (Event | readonly Event[])[],
  of = workflow,
  from?: Checkpoint,
): Record<string, unknown> => {
  const { nodes } = checkpointOf(fold(updates(began, ...events), from), of);
  return JSON.parse(JSON.stringify(nodes));
};
/** Without fingerprints, which have tests of their own. */
const bare = (...events: readonly (Event | readonly Event[])[]): Record<string, unknown> => {
  const nodes = entries(events);
  for (const entry of Object.values(nodes)) delete (entry as Record<string, unknown>)["fingerprint"];
  return nodes;
};
const withheld = (nodeId: string): Event => ({ ...completed(nodeId), withheld: true }) as Event;

describe("checkpointOf", () => {
  it("names the run, and gives every top-level entry its fingerprint", () => {
    const state = fold(updates(began, done("in", [5]), started("m")));
    const checkpoint = checkpointOf(state, workflow);
    const prints = finish(fingerprints(workflow, { seed: "seed", inputs: { x: [5] } }));
    expect(checkpoint).toMatchObject({ protocol: 1, runId: "run-1", seed: "seed" });
    expect(checkpoint.nodes["in"]).toHaveProperty("fingerprint", prints.get("in"));
    expect(checkpoint.nodes["m"]).toHaveProperty("fingerprint", prints.get("m"));
  });

  it("has completed nodes with their outputs, output nodes without", () => {
    same(bare(done("in", 1), started("m"), item("m", 1), item("m", 2), completed("m"), done("out")), {
      in: { status: "completed", outputs: { out: 1 } },
      m: { status: "completed", outputs: { out: [1, 2] } },
      out: { status: "completed", outputs: {} },
    });
  });

  it("has a container under way with its scopes, and what those gave", () => {
    same(
      bare(
        started("m"),
        [
          started("m/0", 1, "h0"),
          ...done("m/0/i", 5),
          started("m/0/w"),
          set("m/0/w", "five", 1, "res"),
          completed("m/0/w"),
        ],
        [...done("m/0/o"), completed("m/0")],
        [started("m/1", 1, "h1"), ...done("m/1/i", 6), skipped("m/1/w"), skipped("m/1/o"), completed("m/1")],
        [started("m/2", 1, "h2"), ...done("m/2/i", 7), started("m/2/w"), set("m/2/w", "half")],
      ),
      {
        m: { status: "partial" },
        "m/0": { status: "completed", item: "h0", result: "five" },
        "m/1": { status: "completed", item: "h1" },
        "m/2": { status: "partial", item: "h2" },
        "m/2/i": { status: "completed", outputs: { out: 7 } },
      },
    );
  });

  it("has a subflow under way with its nodes, which stand in no scope", () => {
    const part: Workflow = { nodes: [{ id: "part", type: "subflow", data: { workflow: inner } }], edges: [] };
    const nodes = entries([started("part"), done("part/i", 1), started("part/w")], part);
    expect(Object.keys(nodes)).toStrictEqual(["part", "part/i"]);
    expect(nodes["part/i"]).toStrictEqual({ status: "completed", outputs: { out: 1 } });
  });

  it.each<[string, Workflow["nodes"], Record<string, Value>, object]>([
    ["no output node", [{ id: "w", type: "t" }], { w: 1 }, { result: null }],
    ["one", [{ id: "o", type: "output", data: { name: "a" } }], { w: 1 }, { result: 1 }],
    [
      "several",
      [
        { id: "o", type: "output", data: { name: "a" } },
        { id: "p", type: "output", data: { name: "b" } },
        { id: "q", type: "output", data: { name: "c" } },
      ],
      { w: 1, v: [2] },
      { result: { a: 1, b: [2] } },
    ],
  ])("gives a scope the result of %s", (_, outputs, values, expected) => {
    const nested: Workflow = {
      nodes: [{ id: "w", type: "t" }, { id: "v", type: "t" }, { id: "u", type: "t" }, ...outputs],
      edges: [
        { source: "w", target: "o" },
        { source: "v", target: "p" },
        { source: "u", target: "q" },
      ],
    };
    const of: Workflow = { nodes: [{ id: "l", type: "loop", data: { workflow: nested } }], edges: [] };
    const ran = Object.entries(values).flatMap(([id, value]) => done(`l/0/${id}`, value));
    const nodes = entries(
      [started("l"), started("l/0", 1, "h"), ran, skipped("l/0/u"), completed("l/0")],
      of,
    );
    same(nodes["l/0"], { status: "completed", item: "h", ...expected });
  });

  it("leaves out what is withheld, skipped, failed or withdrawn", () => {
    same(
      bare(
        started("in"),
        withheld("in"),
        started("m"),
        started("m/0", 1, "h"),
        reset("m", 2),
        skipped("out"),
      ),
      {},
    );
    same(bare(started("in"), failed("in", false)), {});
    same(
      bare(started("m"), [
        started("m/0", 1, "h"),
        ...done("m/0/i", 1),
        started("m/0/w"),
        withheld("m/0/w"),
        completed("m/0"),
      ]),
      { m: { status: "partial" } },
    );
  });

  it("goes on from a checkpoint: what is reused stands in the next one as it did", () => {
    const from: Checkpoint = {
      protocol: 1,
      runId: "run-0",
      seed: "s",
      nodes: {
        in: { status: "completed", outputs: { out: 9 } },
        m: { status: "partial" },
        "m/0": { status: "completed", item: "h0", result: "r" },
        "m/1": { status: "completed", item: "h1" },
        "m/2": { status: "partial", item: "h2" },
        "m/2/i": { status: "completed", outputs: { out: 7 } },
      },
    };
    const events = [
      reused("in"),
      started("m"),
      reused("m/0"),
      reused("m/1"),
      started("m/2", 1, "h2"),
      reused("m/2/i"),
    ];
    const next = entries(events, workflow, from);
    for (const entry of Object.values(next)) delete (entry as Record<string, unknown>)["fingerprint"];
    same(next, from.nodes);
  });

  it("leaves out what is reused by whoever folds without the checkpoint", () => {
    same(bare(reused("in")), {});
  });

  it("takes an input's value from the request where it was not sent", () => {
    const state = fold(updates(began, started("in"), withheld("in"), done("m", 1)));
    const { nodes } = checkpointOf(state, workflow, { x: 3 });
    expect(nodes["m"]).toHaveProperty(
      "fingerprint",
      finish(fingerprints(workflow, { seed: "seed", inputs: { x: 3 } })).get("m"),
    );
  });

  it("refuses a run that hasn't begun", () => {
    expect(() => checkpointOf(fold([]), workflow)).toThrow("has not begun");
  });
});
