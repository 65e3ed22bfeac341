import { createEngine, localRunner } from "../../../../compute/engine/index.ts";
import { outgoingNodes } from "../../../../compute/hosts/outgoing-nodes.ts";
import { pageOutlet } from "../../../../compute/hosts/page-outlet.ts";
import { webClock, webRandom } from "../../../../compute/hosts/web.ts";
import { builtinNodes, nodeTypes } from "../../../../compute/nodes/index.ts";
import { DEFAULT_LIMITS, type ExecutionUpdate, finish, parseRequest } from "../../../../protocol/index.ts";

/** What the test calls by name. */
export interface CallingPage {
  /** Runs one `http` node; cancels the run after so many of its outputs. Updates as JSON: pages pass on nothing else. */
  call(data: object, cancelAfter?: number): Promise<string>;
}

const outgoing = {
  networks: [],
  ports: new Set<number>(),
  pace: { concurrency: 6, perSecond: 100, burst: 100 },
};
const engine = createEngine({
  runtime: "browser",
  types: nodeTypes(builtinNodes, outgoingNodes(pageOutlet(), { outgoing, limits: DEFAULT_LIMITS })),
  runner: localRunner,
  clock: webClock(),
  random: webRandom,
  limits: DEFAULT_LIMITS,
});

const page: CallingPage = {
  async call(data, cancelAfter = Number.POSITIVE_INFINITY) {
    const workflow = { nodes: [{ id: "call", type: "http", data }], edges: [] };
    const execution = (await engine.prepare(finish(parseRequest({ workflow })))).start();
    const updates: ExecutionUpdate[] = [];
    let outputs = 0;
    for await (const update of execution) {
      updates.push(update);
      if (update.type === "node-output" && ++outputs === cancelAfter) execution.cancel("client");
    }
    return JSON.stringify(updates);
  },
};

Object.assign(globalThis, { callingPage: page });
