import { describe, expect, test } from "vitest";
import type { NestedResult, NestedRun } from "../../../compute/engine/index.ts";
import type { Value } from "../../../protocol/index.ts";
import {
  emissionsOf,
  execute,
  gave,
  live,
  nested,
  problemsOf,
  skipped,
  valuesOf,
  workflow,
} from "./context.ts";

const double = (run: NestedRun) => nested(gave(Number(run.inputs["item"]) * 2));
const items = (count: number) =>
  live(
    "items",
    Array.from({ length: count }, (_, i) => i),
  );

/** Nested runs that end when the test says so. */
function held() {
  const open = new Map<
    number,
    { resolve: (result: NestedResult) => void; reject: (error: unknown) => void }
  >();
  return {
    open,
    run: (run: NestedRun) =>
      nested(
        new Promise<NestedResult>((resolve, reject) => {
          open.set(Number(run.inputs["index"]), { resolve, reject });
        }),
      ),
  };
}

/** Lets everything go on that can go on. */
const idle = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("map", () => {
  test("runs its workflow for each item, with its index, in a scope that its item decides about", async () => {
    const runs: NestedRun[] = [];
    const run = (nestedRun: NestedRun) => {
      runs.push(nestedRun);
      return double(nestedRun);
    };
    const values = await valuesOf("map", { data: { workflow }, live: { in: live("items", [5, 6]) }, run });
    expect(values).toEqual([10, 12]);
    expect(runs).toEqual([
      { scope: "0", inputs: { item: 5, index: 0 }, given: 5 },
      { scope: "1", inputs: { item: 6, index: 1 }, given: 6 },
    ]);
  });

  test("takes null as no items and a non-list as one", async () => {
    const of = (value: Value) =>
      valuesOf("map", { data: { workflow }, live: { in: live("value", [value]) }, run: double });
    expect(await of(null)).toEqual([]);
    expect(await of([])).toEqual([]);
    expect(await of(4)).toEqual([8]);
    expect(await of([1, 2])).toEqual([2, 4]);
  });

  test("emits in the order of the items, whichever is done first", async () => {
    const { open, run } = held();
    const emissions = emissionsOf("map", { data: { workflow }, live: { in: items(3) }, run });
    await idle();
    for (const index of [2, 0, 1]) open.get(index)?.resolve(gave(index));
    expect(await emissions).toEqual([{ value: 0 }, { value: 1 }, { value: 2 }]);
  });

  test("unordered, emits in the order of completion, with the item's index", async () => {
    const { open, run } = held();
    const emissions = emissionsOf("map", { data: { workflow, ordered: false }, live: { in: items(3) }, run });
    await idle();
    for (const index of [2, 0, 1]) {
      open.get(index)?.resolve(index === 0 ? skipped : gave(index));
      await idle();
    }
    expect(await emissions).toEqual([
      { value: 2, index: 2 },
      { value: 1, index: 1 },
    ]);
  });

  test("an item whose output is skipped adds nothing", async () => {
    const run = (nestedRun: NestedRun) =>
      nested(Number(nestedRun.inputs["item"]) % 2 === 0 ? skipped : gave(nestedRun.inputs["item"] as Value));
    expect(await valuesOf("map", { data: { workflow }, live: { in: items(6) }, run })).toEqual([1, 3, 5]);
  });

  test.each([true, false])(
    "holds no more items than its concurrency, begun and not yet emitted (ordered: %s)",
    async (ordered) => {
      const { open, run } = held();
      const data = { workflow, concurrency: 2, ordered };
      const iterator = (execute("map", { data, live: { in: items(9) }, run }) as AsyncIterable<unknown>)[
        Symbol.asyncIterator
      ]();
      const first = iterator.next();
      await idle();
      expect(open.size).toBe(2);
      open.get(0)?.resolve(gave(0));
      await first;
      // Whoever took it has not said that it is through: that it asks for the next one.
      await idle();
      expect(open.size).toBe(2);
      const second = iterator.next();
      await idle();
      expect(open.size).toBe(3);
      open.get(1)?.resolve(gave(1));
      await second;
      await idle();
      expect(open.size).toBe(3);
      await iterator.return?.();
    },
  );

  test("begins an item while the next one is still to come", async () => {
    const { open, run } = held();
    async function* slow() {
      yield 1;
      await new Promise(() => {});
    }
    const iterator = (
      execute("map", {
        data: { workflow },
        live: { in: live("items", slow()) },
        run,
      }) as AsyncIterable<unknown>
    )[Symbol.asyncIterator]();
    const first = iterator.next();
    await idle();
    open.get(0)?.resolve(gave("done"));
    expect(await first).toEqual({ done: false, value: { value: "done" } });
    // Its input never answers, and it ends all the same.
    expect(await iterator.return?.()).toEqual({ done: true, value: undefined });
  });

  test("fails with the error of a nested run, and nobody waits for the others", async () => {
    const { open, run } = held();
    const emissions = emissionsOf("map", { data: { workflow }, live: { in: items(3) }, run });
    await idle();
    open.get(1)?.reject(new Error("one failed"));
    await expect(emissions).rejects.toThrow("one failed");
    // An unhandled rejection would fail the test run.
    open.get(2)?.reject(new Error("aborted"));
    open.get(0)?.reject(new Error("aborted"));
    await idle();
  });

  test("fails with the error of its input or of beginning a run", async () => {
    async function* broken() {
      yield 1;
      throw new Error("input broke");
    }
    await expect(
      emissionsOf("map", { data: { workflow }, live: { in: live("items", broken()) }, run: double }),
    ).rejects.toThrow("input broke");
    const run = () => {
      throw new Error("no more starts");
    };
    await expect(emissionsOf("map", { data: { workflow }, live: { in: items(3) }, run })).rejects.toThrow(
      "no more starts",
    );
  });

  test("ends its input when it is ended", async () => {
    let ended = false;
    async function* source() {
      try {
        for (let i = 0; ; i++) yield i;
      } finally {
        ended = true;
      }
    }
    for await (const _ of execute("map", {
      data: { workflow },
      live: { in: live("items", source()) },
      run: double,
    }))
      break;
    await idle();
    expect(ended).toBe(true);
  });

  test("reports progress often at first, then percent by percent, and the total at the end", async () => {
    const reports: [number, number | undefined][] = [];
    const progress = (completed: number, total?: number) => void reports.push([completed, total]);
    await valuesOf("map", { data: { workflow }, live: { in: items(5000) }, run: double, progress });
    expect(reports.slice(0, 3).map(([completed]) => completed)).toEqual([1, 2, 3]);
    expect(reports.length).toBeLessThan(600);
    expect(reports.at(-1)).toEqual([5000, 5000]);
  });

  test("refuses what can't be a concurrency or a workflow", () => {
    for (const concurrency of [0, -1, 1.5, 2000, "2"])
      expect(problemsOf("map", { workflow, concurrency })).toHaveLength(1);
    expect(problemsOf("map", {})).toHaveLength(1);
    expect(problemsOf("map", { workflow: { nodes: "many" } })).toHaveLength(1);
  });
});
