import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Checkpoint,
  type ExecutionState,
  type ExecutionUpdate,
  Folder,
  fold,
  type Value,
} from "../../../protocol/index.ts";
import * as run from "./run.ts";
import {
  append,
  asked,
  began,
  completed,
  done,
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

const outputsOf = (state: ExecutionState, path: string): Record<string, Value> => ({
  ...state.nodes.get(path)?.outputs,
});
const pathsOf = (state: ExecutionState): string[] => [...state.nodes].map(([path]) => path).sort();

describe("fold", () => {
  it("folds a handle by the modes of its emissions", () => {
    const state = fold(
      updates(
        started("t"),
        [append("t", "a"), append("t", ""), append("t", "😀")],
        started("b"),
        [append("b", new Uint8Array([1])), append("b", new Uint8Array([2, 3]))],
        started("i"),
        [item("i", 1), item("i", [2]), item("i", null)],
        started("u"),
        [item("u", "c", 2), item("u", "a", 0), item("u", "e", 4)],
        started("v"),
        [set("v", 1), set("v", { a: 2 })],
      ),
    );
    same(outputsOf(state, "t"), { out: "a😀" });
    same(outputsOf(state, "b"), { out: new Uint8Array([1, 2, 3]) });
    same(outputsOf(state, "i"), { out: [1, [2], null] });
    same(outputsOf(state, "u"), { out: ["a", "c", "e"] });
    same(outputsOf(state, "v"), { out: { a: 2 } });
  });

  it("takes an announced empty value for the whole fold", () => {
    const state = fold(updates(done("t", ""), done("b", new Uint8Array()), done("i", [])));
    same(
      [outputsOf(state, "t"), outputsOf(state, "b"), outputsOf(state, "i")],
      [{ out: "" }, { out: new Uint8Array() }, { out: [] }],
    );
  });

  it("gives snapshots: what was read doesn't change when more comes", () => {
    const folder = new Folder();
    const [begin, first, second] = updates(started("i"), item("i", 1), item("i", 2));
    folder.push(begin!);
    folder.push(first!);
    const before = folder.state.nodes.get("i")?.outputs["out"];
    folder.push(second!);
    same(before, [1]);
    same(outputsOf(folder.state, "i"), { out: [1, 2] });
  });

  it("forgets on a reset the path and all under it, and nothing else", () => {
    const state = fold(
      updates(
        started("m"),
        started("m/0", 1, "h"),
        done("m/0/a", 1),
        started("mm"),
        set("mm", 1),
        reset("m", 2),
      ),
    );
    same(pathsOf(state), ["mm"]);
  });

  it("ignores attempts before a path's own last reset, and no others", () => {
    const state = fold(
      updates(
        started("a"),
        reset("a", 2),
        set("a", "late"),
        completed("a"),
        started("a", 2),
        set("a", "new", 2),
        set("a", "late"),
      ),
    );
    same(outputsOf(state, "a"), { out: "new" });
    expect(state.nodes.get("a")).toMatchObject({ status: "running", attempt: 2 });
    const nested = fold(
      updates(started("m"), started("m/a", 3), reset("m", 2), started("m", 2), started("m/a", 1)),
    );
    expect(nested.nodes.get("m/a")?.attempt).toBe(1);
  });

  it("forgets on a final failure the outputs of the path and all under it", () => {
    const state = fold(updates(started("m"), item("m", 1), done("m/0", 1), failed("m", false)));
    same(pathsOf(state), ["m"]);
    same(outputsOf(state, "m"), {});
    expect(state.nodes.get("m")).toMatchObject({ status: "failed", error: { code: "NODE_FAILED" } });
  });

  it("keeps what a handled failure gives", () => {
    const events = updates(started("a"), set("a", "partial"), {
      ...failed("a", false),
      handled: "default",
    } as run.Event);
    const state = fold([...events, ...updates(set("a", "instead"), completed("a"))]);
    same(outputsOf(state, "a"), { out: "instead" });
    expect(state.nodes.get("a")).toMatchObject({ status: "completed", handled: "default" });
  });

  it("brings back what is reused, as the checkpoint has it", () => {
    const from: Checkpoint = {
      protocol: 1,
      runId: "first",
      seed: "s",
      nodes: {
        a: { status: "completed", outputs: { out: 1 } },
        m: { status: "partial" },
        "m/0": { status: "completed", item: "h0", result: "r0" },
        "m/1": { status: "partial", item: "h1" },
        "m/1/x": { status: "completed", outputs: { out: "x" } },
      },
    };
    const state = fold(
      updates(reused("a"), started("m"), reused("m/0"), started("m/1", 1, "h1"), reused("m/1/x")),
      from,
    );
    same(outputsOf(state, "a"), { out: 1 });
    expect(state.nodes.get("m/0")).toMatchObject({
      status: "completed",
      item: "h0",
      result: "r0",
      reused: true,
    });
    same(outputsOf(state, "m/1/x"), { out: "x" });
    expect(state).toMatchObject({ runId: "first", seed: "s" });
  });

  it("brings back what is reused as it was before resets, also of what stands above it, also twice", () => {
    const first = [
      started("m"),
      started("m/0", 1, "h0"),
      done("m/0/a", "kept"),
      completed("m/0"),
      started("m/1", 1, "h1"),
    ];
    const second = [
      reset("m", 2),
      started("m", 2),
      reset("m", 3),
      started("m", 3),
      reused("m/0"),
      reused("m/1/none"),
    ];
    const state = fold(updates(first.flat(), second));
    same(outputsOf(state, "m/0/a"), { out: "kept" });
    expect(state.nodes.get("m/0")).toMatchObject({ status: "completed", item: "h0", reused: true });
    expect(state.nodes.get("m/1")).toBeUndefined();
    const again = fold(updates(first.flat(), second, [reset("m", 4), started("m", 4), reused("m/0")]));
    same(outputsOf(again, "m/0/a"), { out: "kept" });
  });

  it("brings back what this stream has told before what the checkpoint has: it is newer", () => {
    const from: Checkpoint = {
      protocol: 1,
      runId: "first",
      seed: "s",
      nodes: {
        m: { status: "partial" },
        "m/0": { status: "completed", item: "old", result: "old" },
        "m/1": { status: "completed", item: "h1", result: "r1" },
      },
    };
    const first = [started("m"), started("m/0", 1, "new"), done("m/0/a", "new"), completed("m/0")];
    const second = [reset("m", 2), started("m", 2), reused("m/0"), reused("m/1")];
    const state = fold(updates(first.flat(), second), from);
    expect(state.nodes.get("m/0")).toMatchObject({ status: "completed", item: "new", reused: true });
    same(outputsOf(state, "m/0/a"), { out: "new" });
    expect(state.nodes.get("m/1")).toMatchObject({ status: "completed", item: "h1", result: "r1" });
  });

  it("brings back nothing that had not completed", () => {
    const state = fold(
      updates(
        started("m"),
        started("m/0"),
        set("m/0", "half"),
        reset("m", 2),
        started("m", 2),
        reused("m/0"),
      ),
    );
    same(outputsOf(state, "m/0"), {});
    expect(state.nodes.get("m/0")).toMatchObject({ reused: true, withheld: true });
  });

  it("keeps open questions until they are answered or withdrawn", () => {
    const ask = (...events: run.Event[]) =>
      fold(
        updates(started("m"), started("m/a"), asked("m/a"), started("b"), asked("b"), events),
      ).requests.map((r) => r.nodeId);
    same(ask(), ["m/a", "b"]);
    same(ask(completed("m/a")), ["b"]);
    same(ask(failed("b", false)), ["m/a"]);
    same(ask(reset("m", 2)), ["b"]);
    same(ask(run.ended("execution-suspended")), ["m/a", "b"]);
  });

  it("tells the run's own state", () => {
    expect(fold(updates(began))).toMatchObject({
      executionId: "run-1",
      runId: "run-1",
      seed: "seed",
      status: "running",
    });
    expect(fold(updates(began, run.ended("execution-failed")))).toMatchObject({
      status: "failed",
      error: { code: "NODE_FAILED" },
    });
    expect(fold(updates(began, run.ended("execution-cancelled")))).toMatchObject({
      status: "cancelled",
      reason: "client",
    });
    expect(fold(updates(skipped("a"))).nodes.get("a")).toMatchObject({
      status: "skipped",
      reason: "branch-not-taken",
    });
  });

  it("ignores types that it doesn't know, and paths that no run has", () => {
    const odd = [{ type: "node-dreamt", seq: 1, timestamp: 0 }] as unknown as ExecutionUpdate[];
    same(pathsOf(fold([...odd, ...updates(started("a/".repeat(100_000)), started("toString"))])), [
      "toString",
    ]);
    expect(fold([]).nodes.get("constructor")).toBeUndefined();
  });

  it("comes to the same state as forgetting and adding path by path", () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 60 }), (events) =>
        same(summary(fold(updates(events))), naive(updates(events))),
      ),
      {
        numRuns: 500,
      },
    );
  });

  it("costs the same per update, however much there is", () => {
    const count = 20_000;
    const pieces = Array.from({ length: count }, () => append("t", "abc"));
    const scopes = Array.from({ length: count }, (_, i) => [
      started(`m/${i}`, 1, "h"),
      reset(`n/${i}`, 2),
    ]).flat();
    const state = fold(updates(started("t"), pieces, started("m"), scopes));
    expect(outputsOf(state, "t")["out"]).toHaveLength(3 * count);
    same([...state.nodes.under("m")].length, count);
  });
});

const path = fc.constantFrom("a", "m", "m/0", "m/0/x", "m/1", "mm");
const attempt = fc.integer({ min: 1, max: 3 });
const anyEvent: fc.Arbitrary<run.Event> = fc.oneof(
  fc.tuple(path, attempt).map(([p, n]) => started(p, n)),
  fc.tuple(path, fc.integer({ max: 9, min: 0 }), attempt).map(([p, v, n]) => set(p, v, n)),
  fc.tuple(path, fc.string({ maxLength: 2 }), attempt).map(([p, v, n]) => append(p, v, n)),
  fc.tuple(path, attempt).map(([p, n]) => completed(p, n)),
  fc.tuple(path, fc.boolean(), attempt).map(([p, again, n]) => failed(p, again, n)),
  fc.tuple(path, attempt).map(([p, n]) => reset(p, n)),
  path.map(skipped),
);

interface Plain {
  status: string;
  attempt: number;
  out: Value | undefined;
}

function summary(state: ExecutionState): Record<string, Plain> {
  const plain: Record<string, Plain> = {};
  for (const [at, node] of [...state.nodes].sort()) {
    plain[at] = { status: node.status, attempt: node.attempt, out: node.outputs["out"] };
  }
  return plain;
}

/** The rules as they are written, without an index or a rope. */
function naive(list: readonly ExecutionUpdate[]): Record<string, Plain> {
  const states = new Map<string, Plain>();
  const floors = new Map<string, number>();
  const forget = (map: Map<string, unknown>, under: string) => {
    for (const at of [...map.keys()]) if (at.startsWith(`${under}/`)) map.delete(at);
  };
  for (const update of list) {
    if (!("nodeId" in update)) continue;
    const { nodeId } = update;
    const now = "attempt" in update ? update.attempt : 0;
    if ("attempt" in update && now < (floors.get(nodeId) ?? 0)) continue;
    const current = (): Plain | null => {
      const state = states.get(nodeId);
      if (state === undefined || state.attempt < now)
        states.set(nodeId, { status: "running", attempt: now, out: undefined });
      return states.get(nodeId)!.attempt === now ? states.get(nodeId)! : null;
    };
    if (update.type === "node-started")
      states.set(nodeId, { status: "running", attempt: now, out: undefined });
    else if (update.type === "node-skipped")
      states.set(nodeId, { status: "skipped", attempt: 0, out: undefined });
    else if (update.type === "node-reset") {
      states.delete(nodeId);
      forget(states, nodeId);
      forget(floors, nodeId);
      floors.set(nodeId, now);
    } else {
      const state = current();
      if (state === null) continue;
      if (update.type === "node-completed") state.status = "completed";
      else if (update.type === "node-failed") {
        state.status = "failed";
        if (update.willRetry) continue;
        state.out = undefined;
        forget(states, nodeId);
        forget(floors, nodeId);
      } else if (update.type === "node-output") {
        const { mode, value } = update;
        state.out = mode === "append" && typeof state.out === "string" ? state.out + String(value) : value;
      }
    }
  }
  return Object.fromEntries([...states].sort(([a], [b]) => (a < b ? -1 : 1)));
}
