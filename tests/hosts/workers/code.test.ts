import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Capabilities, type ExecutionUpdate, type Workflow } from "../../../protocol/index.ts";
import { allOf, errorOf, post, updatesOf } from "../node/service-harness.ts";
import { startWorkerd, type Workerd } from "./workerd.ts";

const code = (source: string, more: object = {}): Workflow => ({
  nodes: [
    { id: "code", type: "code", data: { source, ...more } },
    { id: "out", type: "output", data: { name: "result" } },
  ],
  edges: [{ source: "code", target: "out" }],
});

const squares = (items: number): Workflow => ({
  nodes: [
    { id: "rows", type: "range", data: { from: 1, to: items } },
    {
      id: "each",
      type: "map",
      data: {
        workflow: {
          nodes: [
            { id: "item", type: "input", data: { name: "item" } },
            { id: "square", type: "code", data: { source: "export default ({ in: x }) => x * x" } },
            { id: "result", type: "output", data: { name: "square" } },
          ],
          edges: [
            { source: "item", target: "square" },
            { source: "square", target: "result" },
          ],
        },
      },
    },
    { id: "sum", type: "transform", data: { expression: "$sum($)" } },
    { id: "out", type: "output", data: { name: "sum" } },
  ],
  edges: [
    { source: "rows", target: "each" },
    { source: "each", target: "sum" },
    { source: "sum", target: "out" },
  ],
});

describe("code on workerd", () => {
  let workerd: Workerd;
  beforeAll(async () => {
    workerd = await startWorkerd({ NODEFLOW_HEARTBEAT_MS: "200", NODEFLOW_WRITE_DEADLINE_MS: "1000" });
  });
  afterAll(() => workerd?.[Symbol.asyncDispose]());

  const endOf = async (body: object): Promise<ExecutionUpdate | undefined> =>
    (await allOf(await post(workerd.url, body))).at(-1);

  it("runs for each item of a map, in several requests at once", async () => {
    const began = performance.now();
    const ends = await Promise.all([1, 2, 3].map(() => endOf({ workflow: squares(100) })));
    for (const end of ends)
      expect(end).toMatchObject({ type: "execution-completed", outputs: { sum: 338_350 } });
    console.log(`300 items of code on workerd: ${((performance.now() - began) / 300).toFixed(2)} ms an item`);
  });

  it("streams what a generator yields, as far as somebody reads", async () => {
    const source = "export default function* () { for (let i = 0; ; i += 1) yield i }";
    const leaving = new AbortController();
    const response = await post(workerd.url, code(source, { stream: true }), {}, leaving.signal);
    const items: unknown[] = [];
    for await (const update of updatesOf(response)) {
      if (update.type === "node-output") items.push(update.value);
      if (items.length === 10) break;
    }
    leaving.abort();
    expect(items).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("answers others while a program computes, and stops it when its time is over", async () => {
    const endless = post(workerd.url, code("export default () => { for (;;); }", { timeoutMs: 2_000 }));
    const updates = updatesOf(await endless);
    let asked = 0;
    let slowest = 0;
    const ended = (async () => {
      let last: ExecutionUpdate | undefined;
      for await (const update of updates) last = update;
      return last;
    })();
    let over = false;
    ended.finally(() => {
      over = true;
    });
    while (!over) {
      const began = performance.now();
      expect((await fetch(`${workerd.url}/health`)).status).toBe(200);
      slowest = Math.max(slowest, performance.now() - began);
      asked += 1;
    }
    expect(await ended).toMatchObject({ type: "execution-failed", error: { code: "NODE_TIMEOUT" } });
    expect(asked).toBeGreaterThan(5);
    expect(slowest).toBeLessThan(500);
    expect(await endOf({ workflow: squares(3) })).toMatchObject({ outputs: { sum: 14 } });
  });

  it("stops the program of a client that has gone", async () => {
    const leaving = new AbortController();
    const endless = code("export default () => { console.log('begun'); for (;;); }", { timeoutMs: 300_000 });
    // As many as there are places: if one weren't left, nobody could begin after it.
    for (let n = 0; n < 2; n += 1) {
      const response = await post(workerd.url, endless, {}, leaving.signal);
      for await (const update of updatesOf(response)) if (update.type === "node-log") break;
    }
    leaving.abort();
    expect(await endOf({ workflow: squares(3) })).toMatchObject({ outputs: { sum: 14 } });
  });

  it("refuses what isn't a program before it begins", async () => {
    const response = await post(workerd.url, code("import x from 'y'"));
    expect(response.status).toBe(422);
    expect((await errorOf(response)).details).toMatchObject([{ code: "INVALID_NODE_DATA" }]);
  });

  it("has no place for wasm, and says so before it begins", async () => {
    const wasm = {
      nodes: [{ id: "w", type: "wasm", data: { module: "AGFzbQEAAAA=", call: "f" } }],
      edges: [],
    };
    const response = await post(workerd.url, { workflow: wasm });
    expect(response.status).toBe(422);
    expect((await errorOf(response)).details).toMatchObject([{ code: "UNSUPPORTED_ON_HOST", nodeId: "w" }]);
  });

  it("says what it can't promise of programs", async () => {
    const { limits } = Capabilities.parse(await (await fetch(`${workerd.url}/capabilities`)).json());
    expect(limits["notes"]).toContain("QuickJS");
    expect(limits["notes"]).toContain("counted in steps");
  });
});
