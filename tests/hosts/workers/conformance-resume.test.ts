import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Checkpoint,
  checkpointOf,
  type ExecutionUpdate,
  encodeJson,
  fold,
  type Value,
  type Workflow,
} from "../../../protocol/index.ts";
import { overHttp } from "../../conformance/http.ts";
import { type Served, serve } from "../node/service-harness.ts";
import { startWorkerd, type Workerd } from "./workerd.ts";

const square: Workflow = {
  nodes: [
    { id: "item", type: "input", data: { name: "item" } },
    { id: "wait", type: "delay", data: { ms: 2 } },
    { id: "square", type: "transform", data: { expression: "$ * $" } },
    { id: "out", type: "output", data: { name: "square" } },
  ],
  edges: [
    { source: "item", target: "wait" },
    { source: "wait", target: "square" },
    { source: "square", target: "out" },
  ],
};
const workflow: Workflow = {
  nodes: [
    { id: "rows", type: "range", data: { from: 1, to: 12 } },
    { id: "squares", type: "map", data: { workflow: square, concurrency: 3 } },
    { id: "even", type: "transform", data: { expression: "$ % 2 = 0 ? $", each: true } },
    { id: "label", type: "template", data: { text: "{{in}}" } },
    { id: "sum", type: "transform", data: { expression: "$sum($)" } },
    { id: "result", type: "output", data: { name: "sum" } },
    { id: "text", type: "output", data: { name: "text" } },
  ],
  edges: [
    { source: "rows", target: "squares" },
    { source: "squares", target: "even" },
    { source: "even", target: "sum" },
    { source: "even", target: "label" },
    { source: "label", target: "text" },
    { source: "sum", target: "result" },
  ],
};
const outputs = { sum: 4 + 16 + 36 + 64 + 100 + 144, text: "[4,16,36,64,100,144]" };

describe("a run that moves between Node and workerd", () => {
  let served: Served;
  let workerd: Workerd;
  beforeAll(async () => {
    served = await serve();
    workerd = await startWorkerd();
  });
  afterAll(async () => {
    await workerd?.[Symbol.asyncDispose]();
    await served?.[Symbol.asyncDispose]();
  });

  /** Reads so many updates and leaves. */
  const read = async (url: string, request: object, most = Number.POSITIVE_INFINITY) => {
    const updates: ExecutionUpdate[] = [];
    for await (const update of overHttp(url, "text/event-stream")(JSON.stringify(request))) {
      updates.push(update);
      if (updates.length >= most) break;
    }
    return updates;
  };
  const posted = (checkpoint: Checkpoint): unknown => JSON.parse(encodeJson(checkpoint as unknown as Value));

  it.each([1, 5, 12, 20, 33, 50, 80])(
    "goes on elsewhere after every %i updates, to the same end",
    async (most) => {
      const hosts = [served.url, workerd.url];
      let checkpoint: Checkpoint | undefined;
      const completed = new Set<string>();
      for (let move = 0; move < 200; move += 1) {
        const request = { workflow, ...(checkpoint && { checkpoint: posted(checkpoint) }) };
        // Each host reads a little more than the one before, so that whatever has to be done again gets done.
        const updates = await read(hosts[move % 2] as string, request, most + 2 * move);
        const again = updates.filter(
          (update) => update.type === "node-started" && completed.has(update.nodeId),
        );
        expect(again).toEqual([]);
        const last = updates.at(-1);
        if (last?.type === "execution-completed") {
          expect(last.outputs).toEqual(outputs);
          expect(move).toBeGreaterThan(0);
          return;
        }
        const state = fold(updates, checkpoint);
        for (const [path, node] of state.nodes) {
          if (!path.includes("/") && node.status === "completed") completed.add(path);
        }
        checkpoint = checkpointOf(state, workflow);
      }
      expect.fail("it never ended");
    },
  );
});
