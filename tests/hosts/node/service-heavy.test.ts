import { availableParallelism } from "node:os";
import { describe, expect, test } from "vitest";
import type { NodeTypes } from "../../../compute/engine/index.ts";
import { builtinNodes } from "../../../compute/nodes/index.ts";
import { nodeTypes } from "../../support/heavy-nodes.ts";
import { ENDLESS } from "../../support/hostile/endless.ts";
import { allOf, post, serve, updatesOf } from "./service-harness.ts";

const types: NodeTypes = new Map([...builtinNodes, ...nodeTypes.map((type) => [type.type, type] as const)]);
const poolModule = new URL("../../support/heavy-nodes.ts", import.meta.url);

/** More than there are cores. */
const BUSY = 2 * availableParallelism();

/** Computes for half a second at a time, in JSONata. */
const SLOW = "$count($match($pad('a', 20000, 'a'), /a.*b|a/))";

const workflowOf = (nodes: readonly { readonly type: string; readonly data: object }[]) => ({
  nodes: nodes.map((node, index) => ({ id: `n${index}`, policy: { onError: "skip" }, ...node })),
});

/** Something that is to be seen every few milliseconds. */
const TICKING = {
  nodes: [
    { id: "n", type: "range", data: { to: 300 } },
    {
      id: "ticks",
      type: "map",
      data: {
        concurrency: 1,
        workflow: {
          nodes: [
            { id: "item", type: "input", data: { name: "item" } },
            { id: "wait", type: "delay", data: { ms: 5 } },
            { id: "out", type: "output", data: { name: "out" } },
          ],
          edges: [
            { source: "item", target: "wait" },
            { source: "wait", target: "out" },
          ],
        },
      },
    },
  ],
  edges: [{ source: "n", target: "ticks" }],
};

interface Seen {
  /** The 99th percentile of the answers to `/health`, in ms. */
  readonly health: number;
  /** The longest time without an update of a stream that flows, in ms. */
  readonly gap: number;
  /** The longest that the thread of the event loop has computed without giving others a turn, in ms of its own time. */
  readonly held: number;
}

async function see(url: string): Promise<Seen> {
  const times: number[] = [];
  const seen: number[] = [];
  let flows = true;
  const ask = async () => {
    while (flows) {
      const asked = performance.now();
      await (await fetch(`${url}/health`)).arrayBuffer();
      times.push(performance.now() - asked);
    }
  };
  let held = 0;
  const watch = async () => {
    while (flows) {
      const { user, system } = process.threadCpuUsage();
      await new Promise(setImmediate);
      const after = process.threadCpuUsage();
      held = Math.max(held, (after.user + after.system - user - system) / 1_000);
    }
  };
  const both = Promise.all([ask(), watch()]);
  for await (const _ of updatesOf(await post(url, { workflow: TICKING }))) seen.push(performance.now());
  flows = false;
  await both;
  const gap = Math.max(...seen.slice(1).map((time, index) => time - (seen[index] ?? time)));
  const health = times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? Number.NaN;
  return { health, gap, held };
}

interface Busy {
  readonly name: string;
  readonly nodes: readonly { readonly type: string; readonly data: object }[];
  /** Those of the host if absent. */
  readonly types?: NodeTypes;
}

const busy: readonly Busy[] = [
  {
    name: "types of its own",
    nodes: Array.from({ length: BUSY }, () => ({ type: "burn", data: { ms: 250, count: 100 } })),
    types,
  },
  {
    name: "expressions",
    nodes: Array.from({ length: BUSY * 10 }, () => ({ type: "transform", data: { expression: SLOW } })),
    types,
  },
  {
    name: "programs without end",
    nodes: ENDLESS.map(({ source, stream = false }) => ({
      type: "code",
      data: { source, stream, timeoutMs: 60_000 },
    })),
  },
];

describe("while every core is busy with heavy nodes", () => {
  test.each(busy)("/health is answered and streams flow: $name", async ({ nodes, types }) => {
    await using service = await serve({}, types, poolModule);
    const idle = await see(service.url);
    const working = new AbortController();
    const places: string[] = [];
    const work = async () => {
      const response = await post(service.url, { workflow: workflowOf(nodes) }, {}, working.signal);
      for await (const update of updatesOf(response)) {
        if (update.type === "node-started") places.push(update.executor.kind);
      }
      throw new Error("there was too little to do");
    };
    const worked = work().catch((error: unknown) => error);
    await expect
      .poll(() => places.length, { timeout: 10_000 })
      .toBeGreaterThanOrEqual(availableParallelism());
    const busy = await see(service.url);
    working.abort();
    expect(await worked).toMatchObject({ name: "AbortError" });
    expect(new Set(places)).toEqual(new Set(["pool"]));
    expect(busy.held).toBeLessThan(40);
    // Where other programs keep the machine busy as well, the times without heavy nodes tell how much is theirs.
    expect(busy.health).toBeLessThan(Math.max(50, 4 * idle.health));
    expect(busy.gap).toBeLessThan(Math.max(100, 4 * idle.gap));
  });
});

test("a service that is closed leaves no process behind", async () => {
  const served = await serve({}, types, poolModule);
  const updates = await allOf(
    await post(served.url, { workflow: workflowOf([{ type: "where", data: {} }]) }),
  );
  const output = updates.find((update) => update.type === "node-output");
  await served.server.close();
  expect(() => process.kill(output?.value as number, 0)).toThrow("ESRCH");
});
