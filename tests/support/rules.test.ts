import { describe, expect, it } from "vitest";
import type { ExecutionUpdate, Workflow } from "../../protocol/index.ts";
import { checkRules } from "./rules.ts";

/** An update without what every update has. */
type Bare = Record<string, unknown> & { readonly type: string };

const local = { kind: "local" };
const started = (nodeId: string, attempt = 1, more: object = {}): Bare => ({
  type: "node-started",
  nodeId,
  attempt,
  executor: local,
  ...more,
});
const output = (nodeId: string, mode: string, value: unknown, attempt = 1, handle = "out"): Bare => ({
  type: "node-output",
  nodeId,
  attempt,
  handle,
  mode,
  value,
});
const completed = (nodeId: string, attempt = 1): Bare => ({
  type: "node-completed",
  nodeId,
  attempt,
  durationMs: 1,
});
const failed = (nodeId: string, attempt: number, willRetry: boolean, more: object = {}): Bare => ({
  type: "node-failed",
  nodeId,
  attempt,
  willRetry,
  error: { code: "NODE_FAILED", message: "", retryable: true },
  ...more,
});
const reset = (nodeId: string, attempt: number): Bare => ({ type: "node-reset", nodeId, attempt });
const first: Bare = {
  type: "execution-started",
  executionId: "e",
  runId: "e",
  seed: "s",
  protocol: 1,
  runtime: "node",
  nodes: 0,
  edges: 0,
  reused: 0,
};
const done = (nodes: Partial<Record<string, number>> = {}, retries = 0, emissions = 5, bytes = 28): Bare => ({
  type: "execution-completed",
  outputs: {},
  metrics: {
    durationMs: 1,
    nodes: { completed: 0, failed: 0, skipped: 0, reused: 0, ...nodes },
    retries,
    emissions,
    bytes,
    calls: 0,
  },
});

const numbered = (updates: readonly Bare[]) =>
  updates.map((update, index) => ({
    seq: index + 1,
    timestamp: 0,
    ...update,
  })) as unknown as ExecutionUpdate[];
const check = (workflow: Workflow, updates: readonly Bare[]) =>
  checkRules({ workflow, updates: numbered(updates) }).violations;

/** `source` feeds `relay` live and `join` settled; `join` also reads `relay`. */
const streaming: Workflow = {
  nodes: [
    { id: "source", type: "test-source", data: { kind: "items" }, policy: { retry: { maxAttempts: 2 } } },
    { id: "relay", type: "test-relay", data: { kind: "items" } },
    { id: "join", type: "test-join", data: {} },
  ],
  edges: [
    { source: "source", target: "relay" },
    { source: "source", target: "join", targetHandle: "a" },
    { source: "relay", target: "join", targetHandle: "b" },
  ],
};
const retried: Bare[] = [
  first,
  started("source"),
  output("source", "item", "~1"),
  started("relay"),
  output("relay", "item", "~1"),
  failed("source", 1, true),
  reset("source", 2),
  reset("relay", 2),
  started("source", 2),
  output("source", "item", 1, 2),
  started("relay", 2),
  output("relay", "item", 2, 2),
  completed("source", 2),
  completed("relay", 2),
  started("join"),
  output("join", "set", 3),
  completed("join"),
  done({ completed: 3 }, 1),
];

const inner: Workflow = {
  nodes: [
    { id: "a", type: "test-join", data: {} },
    { id: "b", type: "test-join", data: {} },
  ],
  edges: [{ source: "a", target: "b" }],
};
const mapping: Workflow = { nodes: [{ id: "map", type: "map", data: { workflow: inner } }], edges: [] };
const mapped: Bare[] = [
  first,
  started("map"),
  started("map/0", 1, { item: "h" }),
  started("map/0/a"),
  output("map/0/a", "set", 1),
  completed("map/0/a"),
  started("map/0/b"),
  output("map/0/b", "set", 1),
  completed("map/0/b"),
  completed("map/0"),
  output("map", "item", 1),
  completed("map"),
  done({ completed: 3 }, 0, 3, 24),
];

const move = (updates: readonly Bare[], from: number, to: number) => {
  const moved = [...updates];
  moved.splice(to, 0, ...moved.splice(from, 1));
  return moved;
};
const without = (updates: readonly Bare[], at: number) => updates.toSpliced(at, 1);
const changed = (updates: readonly Bare[], at: number, more: object) =>
  updates.with(at, { ...updates[at], ...more } as Bare);

describe("the checker of streams", () => {
  it("finds nothing wrong with a retry that withdraws what was streamed", () => {
    expect(check(streaming, retried)).toEqual([]);
  });

  it("finds nothing wrong with a nested run", () => {
    expect(check(mapping, mapped)).toEqual([]);
  });

  it.each<[string, number, Workflow, readonly Bare[]]>([
    ["a gap in seq", 1, streaming, changed(retried, 4, { seq: 9 })],
    ["no first update", 1, streaming, without(retried, 0)],
    ["no terminal update", 1, streaming, without(retried, 17)],
    ["an update after the terminal one", 1, streaming, move(retried, 16, 17)],
    ["two terminal updates", 1, streaming, [...retried, done({ completed: 3 }, 1)]],
    ["an output before its start", 2, streaming, move(retried, 2, 1)],
    ["an output after completion", 2, streaming, move(retried, 15, 16)],
    ["an unknown path", 2, streaming, [first, started("nobody"), done()]],
    ["a start twice", 2, streaming, retried.toSpliced(9, 0, started("source", 2))],
    ["an effectful flag on a pure node", 2, streaming, changed(retried, 1, { effectful: true })],
    ["a child before its parent", 3, mapping, move(mapped, 1, 3)],
    ["a child open when its parent completes", 3, mapping, move(mapped, 9, 8)],
    ["a child of a completed container", 3, mapping, move(mapped, 8, 11)],
    ["a completion twice", 4, streaming, retried.toSpliced(14, 0, completed("relay", 2))],
    ["a start before a settled input", 5, mapping, move(mapped, 6, 4)],
    ["a start before the first live emission", 5, streaming, move(retried, 10, 9)],
    ["a settled reader of an unfinished source", 5, streaming, move(retried, 14, 13)],
    ["a completion before the live source's", 6, streaming, move(retried, 13, 12)],
    ["no reset of the failed node", 2, streaming, without(retried, 6)],
    ["no reset of a live reader", 7, streaming, without(retried, 7)],
    ["a reader's reset before its source's", 7, streaming, move(retried, 7, 5)],
    ["a reset out of nothing", 7, streaming, retried.toSpliced(10, 0, reset("source", 3))],
    ["a reset of a completed node", 7, streaming, retried.toSpliced(14, 0, reset("relay", 3))],
    ["a retry of what can't be retried", 7, streaming, changed(retried, 5, { error: { retryable: false } })],
    ["an attempt that doesn't count", 8, streaming, changed(retried, 10, { attempt: 1 })],
    ["an output of an old attempt", 8, streaming, changed(retried, 11, { attempt: 1 })],
    ["something withdrawn that stays", 9, streaming, changed(retried, 11, { value: "~1" })],
    ["wrong metrics", 10, streaming, changed(retried, 17, done({ completed: 4 }, 1))],
    ["wrong emissions", 10, streaming, changed(retried, 17, done({ completed: 3 }, 1, 6))],
    ["wrong bytes", 10, streaming, changed(retried, 17, done({ completed: 3 }, 1, 5, 29))],
    ["wrong retries", 10, streaming, changed(retried, 17, done({ completed: 3 }))],
    ["a reuse of the unknown", 11, streaming, [first, { type: "node-reused", nodeId: "join" }]],
    [
      "a skip of what has started",
      11,
      streaming,
      retried.toSpliced(15, 0, { type: "node-skipped", nodeId: "join" }),
    ],
    ["a mode that doesn't fit", 12, streaming, changed(retried, 11, { mode: "append" })],
    ["a silent items handle", 12, streaming, retried.toSpliced(9, 1).toSpliced(9, 2)],
    ["a node that is missing at the end", 13, streaming, retried.toSpliced(14, 3)],
  ])("sees %s (rule %i)", (_, rule, workflow, updates) => {
    const seen = check(workflow, updates);
    expect(
      seen.some((violation) => violation.startsWith(`rule ${rule}:`)),
      seen.join("\n"),
    ).toBe(true);
  });
});
