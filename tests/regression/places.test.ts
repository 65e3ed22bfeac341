import { expect, test } from "vitest";
import { localEngine } from "../../compute/hosts/local.ts";
import { builtinNodes, codeNode, nodeTypes } from "../../compute/nodes/index.ts";
import { createQuickjsSandbox } from "../../compute/sandbox/quickjs/quickjs.ts";
import { finish, fold, parseRequest } from "../../protocol/index.ts";
import { quickjsModule } from "../support/quickjs.ts";

/** Streams that hold every place, each read by programs that need one. */
test("programs that stream to programs end on a sandbox with few places", { timeout: 60_000 }, async () => {
  const sandbox = createQuickjsSandbox({
    module: await quickjsModule(),
    places: 2,
    maxMemoryMb: 24,
    turn: () => new Promise((resolve) => setImmediate(resolve)),
  });
  const types = nodeTypes(builtinNodes, codeNode(sandbox));
  const item = {
    nodes: [
      { id: "item", type: "input", data: { name: "item" } },
      { id: "next", type: "code", data: { source: "export default ({ in: n }) => n + 1" } },
      { id: "result", type: "output", data: { name: "result" } },
    ],
    edges: [
      { source: "item", target: "next" },
      { source: "next", target: "result" },
    ],
  };
  const source = "export default function* () { for (let n = 0; n < 300; n += 1) yield n; }";
  const pairs = [1, 2].flatMap((pair) => [
    { id: `stream${pair}`, type: "code", data: { source, stream: true } },
    { id: `map${pair}`, type: "map", data: { workflow: item } },
  ]);
  const edges = [1, 2].map((pair) => ({ source: `stream${pair}`, target: `map${pair}` }));
  const request = finish(parseRequest({ workflow: { nodes: pairs, edges }, options: { timeoutMs: 50_000 } }));
  const updates = [];
  const engine = localEngine({ types, limits: { maxQueueItems: 8 } });
  for await (const update of (await engine.prepare(request)).start()) updates.push(update);
  const state = fold(updates);
  expect(state.status).toBe("completed");
  for (const pair of [1, 2]) {
    expect(state.nodes.get(`map${pair}`)?.outputs?.["out"]).toEqual(
      Array.from({ length: 300 }, (_, n) => n + 1),
    );
  }
});
