import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  createEngine,
  defineNode,
  localRunner,
  type NodeContext,
  type NodeType,
  type Secrets,
} from "../../../compute/engine/index.ts";
import { builtinNodes, nodeTypes } from "../../../compute/nodes/index.ts";
import {
  DEFAULT_LIMITS,
  type ExecutionUpdate,
  finish,
  fold,
  type Limits,
  NodeflowError,
  parseRequest,
  Secret,
  type Value,
} from "../../../protocol/index.ts";
import { VirtualClock } from "../../support/clock.ts";

const HERE = "https://here.example";

/** The secrets of a host: one, that may go to one place. */
const secrets: Secrets = {
  has: (name) => name === "KEY",
  reveal: (name, origin) => (name === "KEY" && origin === HERE ? "open sesame" : null),
};

/** A type that does what a test says. */
function probe(act: (context: NodeContext<{ origin?: string | undefined }>) => Promise<Value>) {
  return defineNode<{ origin?: string | undefined }>({
    type: "probe",
    description: "Does what a test says",
    data: z.looseObject({ origin: z.string().optional() }),
    cost: "trivial",
    strongest: "pure",
    secrets: ["/headers/*"],
    destination: ({ origin }) => origin ?? null,
    handles: () => ({ inputs: { "*": {} }, outputs: { out: "value" } }),
    effect: () => "pure",
    async *execute(context) {
      yield { value: await act(context) };
    },
  });
}

interface Setup {
  readonly limits?: Partial<Limits>;
  readonly secrets?: Secrets;
  readonly traceparent?: string;
  readonly concurrency?: number;
}

function engineWith(type: NodeType<{ origin?: string | undefined }>, { limits = {} }: Setup = {}) {
  const clock = new VirtualClock();
  const types = nodeTypes(builtinNodes, type as NodeType);
  const random = (bytes: number) => new Uint8Array(bytes);
  const all = { ...DEFAULT_LIMITS, ...limits };
  return {
    clock,
    engine: createEngine({ runtime: "node", types, runner: localRunner, clock, random, limits: all }),
  };
}

const requestOf = (nodes: object[], concurrency?: number) =>
  finish(
    parseRequest(
      { workflow: { nodes, edges: [] }, options: concurrency ? { concurrency } : {} },
      { wire: null },
    ),
  );

async function run(type: NodeType<{ origin?: string | undefined }>, nodes: object[], setup: Setup = {}) {
  const { engine } = engineWith(type, setup);
  const prepared = await engine.prepare(requestOf(nodes, setup.concurrency), setup);
  const updates: ExecutionUpdate[] = [];
  for await (const update of prepared.start()) updates.push(update);
  return updates;
}

const last = (updates: readonly ExecutionUpdate[]) => updates.at(-1) as ExecutionUpdate;
const named = (count: number, data: object = {}, policy: object = {}) =>
  Array.from({ length: count }, (_, index) => ({ id: `n${index}`, type: "probe", data, policy }));

describe("a node that waits for something that isn't its own doing", () => {
  test("gives its slot to another", async () => {
    const door = Promise.withResolvers<Value>();
    const type = probe(async (context) => {
      if (context.path === "n0") return await context.waitFor(door.promise);
      door.resolve(context.path);
      return null;
    });
    const updates = await run(type, named(2), { concurrency: 1 });
    expect(last(updates).type).toBe("execution-completed");
    expect(updates).toContainEqual(expect.objectContaining({ nodeId: "n0", value: "n1" }));
  });

  test("has all the time it wants, and afterwards what it had left of its own", async () => {
    const wakes: (() => void)[] = [];
    const type = probe(async (context) => {
      await context.waitFor(new Promise<void>((resolve) => wakes.push(resolve)));
      await context.sleep(1_000);
      return null;
    });
    const { engine, clock } = engineWith(type);
    const prepared = await engine.prepare(requestOf(named(1, {}, { timeoutMs: 100 })));
    const updates: ExecutionUpdate[] = [];
    for await (const update of prepared.start()) {
      updates.push(update);
      if (update.type === "node-started") clock.setTimer(() => wakes[0]?.(), 5_000);
    }
    const at = (type: ExecutionUpdate["type"]) =>
      updates.find((update) => update.type === type)?.timestamp ?? 0;
    expect(last(updates)).toMatchObject({ error: { code: "NODE_TIMEOUT" } });
    expect(at("node-failed") - at("node-started")).toBeGreaterThan(5_000);
    expect(at("node-failed") - at("node-started")).toBeLessThan(5_500);
  });

  test("keeps the run from being suspended for want of an answer", async () => {
    const wakes: (() => void)[] = [];
    const type = probe((context) =>
      context.waitFor(new Promise<Value>((resolve) => wakes.push(() => resolve(1)))),
    );
    const { engine, clock } = engineWith(type);
    const tool = { id: "ask", type: "tool", data: { tool: "ask" } };
    const types: string[] = [];
    for await (const update of (await engine.prepare(requestOf([...named(1), tool]))).start()) {
      types.push(update.type);
      if (update.type === "input-requested") clock.setTimer(() => wakes[0]?.(), 5_000);
    }
    expect(types.slice(-2)).toEqual(["node-completed", "execution-suspended"]);
  });

  test("is told when the attempt ends meanwhile", async () => {
    let told: unknown;
    const type = probe(async (context) => {
      if (context.path === "n1") throw new NodeflowError("NODE_FAILED", "No");
      const waiting = context.waitFor(new Promise<Value>(() => {}));
      waiting.catch((error: unknown) => {
        told = error;
      });
      return await waiting;
    });
    expect(last(await run(type, named(2))).type).toBe("execution-failed");
    expect(told).toBeInstanceOf(NodeflowError);
  });
});

describe("outgoing connections of a run", () => {
  test("are as many at once as allowed; the others wait without a slot, and in order", async () => {
    let open = 0;
    let most = 0;
    const begun: string[] = [];
    const type = probe(async (context) => {
      using _connection = await context.connection();
      begun.push(context.path);
      open += 1;
      most = Math.max(most, open);
      await context.sleep(10);
      open -= 1;
      return null;
    });
    const updates = await run(type, named(20), { limits: { maxConnections: 6 }, concurrency: 8 });
    expect(last(updates)).toMatchObject({ type: "execution-completed", metrics: { calls: 20 } });
    expect(most).toBe(6);
    expect(begun).toEqual(named(20).map(({ id }) => id));
  });

  test("are counted, and a run that makes too many fails", async () => {
    const type = probe(async (context) => {
      for (;;) (await context.connection())[Symbol.dispose]();
    });
    const updates = await run(type, named(1), { limits: { maxCalls: 10 } });
    expect(last(updates)).toMatchObject({ error: { code: "RESOURCE_EXHAUSTED" } });
  });

  test("are not lost to nodes that were given up while they waited for one", async () => {
    const type = probe(async (context) => {
      using _connection = await context.connection();
      await context.sleep(context.path === "n0" ? 100 : 1);
      return null;
    });
    const policy = { timeoutMs: 10, onError: "skip" };
    const late = named(5).map((node) => ({
      type: "subflow",
      policy,
      data: { workflow: { nodes: [node], edges: [] } },
    }));
    const nodes = [
      ...named(1),
      ...late.map((node, index) => ({ ...node, id: `late${index}` })),
      { id: "last", type: "probe", data: {} },
    ];
    const updates = await run(type, nodes, { limits: { maxConnections: 1 } });
    expect(last(updates)).toMatchObject({
      type: "execution-completed",
      metrics: { nodes: { completed: 2 } },
    });
  });
});

describe("a secret", () => {
  const tells = probe(async (context) => context.secret("KEY", HERE).length);
  const key = new Secret("KEY");
  const issuesOf = async (nodes: object[], given?: Secrets) => {
    const { engine } = engineWith(tells);
    const { issues } = await engine.validate(requestOf(nodes), given ? { secrets: given } : {});
    return issues.map(({ code, path }) => [code, path]);
  };
  const node = (data: object) => ({ id: "n", type: "probe", data });

  test("is given to a node for the origin that it may go to", async () => {
    const updates = await run(tells, [node({ headers: { key } })], { secrets });
    expect(updates).toContainEqual(expect.objectContaining({ type: "node-output", value: 11 }));
  });

  test("is in nothing that a node says to which it was given", async () => {
    const told = (context: NodeContext) => `told ${context.secret("KEY", HERE)}`;
    const talks = defineNode<unknown>({
      type: "talks",
      description: "Tells a secret in every way it has",
      data: z.unknown(),
      cost: "trivial",
      strongest: "pure",
      handles: () => ({ inputs: {}, outputs: { out: "text", list: "items", bytes: "bytes", one: "value" } }),
      effect: () => "pure",
      async *execute(context) {
        const text = told(context);
        context.log("info", text);
        context.progress(1, 2, text);
        for (const char of `${text}!`) yield { value: char };
        for (const byte of new TextEncoder().encode(text))
          yield { handle: "bytes", value: Uint8Array.of(byte) };
        yield { handle: "list", value: { [text]: [text] } };
        yield { handle: "one", value: text };
        if (context.attempt === 1)
          throw new NodeflowError("NODE_FAILED", text, { details: { text }, cause: text });
      },
    });
    const clock = new VirtualClock();
    const random = (size: number) => new Uint8Array(size);
    const types = nodeTypes(builtinNodes, talks);
    const engine = createEngine({
      runtime: "node",
      types,
      runner: localRunner,
      clock,
      random,
      limits: DEFAULT_LIMITS,
    });
    const request = requestOf([{ id: "n", type: "talks", policy: { retry: { maxAttempts: 2 } } }]);
    const updates: ExecutionUpdate[] = [];
    for await (const update of (await engine.prepare(request, { secrets })).start()) updates.push(update);
    expect(JSON.stringify(updates)).not.toContain("open sesame");
    const said = "told [secret KEY]";
    for (const type of ["node-log", "node-progress", "node-failed"])
      expect(JSON.stringify(updates.find((it) => it.type === type))).toContain(said);
    expect(fold(updates).nodes.get("n")?.outputs).toEqual({
      out: `${said}!`,
      bytes: new TextEncoder().encode(said),
      list: [{ [said]: [said] }],
      one: said,
    });
  });

  test("is not given for another, nor to a caller without secrets", async () => {
    const elsewhere = probe(async (context) => context.secret("KEY", "https://elsewhere.example"));
    for (const [type, setup] of [
      [elsewhere, { secrets }],
      [tells, {}],
    ] as const) {
      const updates = await run(type, named(1), setup);
      expect(last(updates)).toMatchObject({ error: { code: "SECRET_NOT_FOUND", retryable: false } });
    }
  });

  test("stands only where its type says", async () => {
    expect(await issuesOf([node({ headers: { a: key, b: "text" } })], secrets)).toEqual([]);
    expect(await issuesOf([node({ body: { a: key }, headers: { a: { b: key } } })], secrets)).toEqual([
      ["INVALID_NODE_DATA", "/workflow/nodes/0/data/body/a"],
      ["INVALID_NODE_DATA", "/workflow/nodes/0/data/headers/a/b"],
    ]);
  });

  test("that the host doesn't have, or not for this caller, is told before the run", async () => {
    const unknown = [["INVALID_NODE_DATA", "/workflow/nodes/0/data/headers/a"]];
    expect(await issuesOf([node({ headers: { a: new Secret("OTHER") } })], secrets)).toEqual(unknown);
    expect(await issuesOf([node({ headers: { a: key } })])).toEqual(unknown);
  });

  test("that would go where it may not is told before the run, if that can be known", async () => {
    const going = (origin: string) => issuesOf([node({ origin, headers: { a: key } })], secrets);
    expect(await going(HERE)).toEqual([]);
    expect(await going("https://elsewhere.example")).toEqual([
      ["INVALID_NODE_DATA", "/workflow/nodes/0/data/headers/a"],
    ]);
  });

  test("inside a container is looked at with the node there, and nowhere else", async () => {
    const inside = (nested: object, more: object = {}) => [
      { id: "m", type: "subflow", data: { workflow: { nodes: [nested], edges: [] }, ...more } },
    ];
    expect(await issuesOf(inside(node({ headers: { a: key } })), secrets)).toEqual([]);
    expect(await issuesOf(inside(node({ headers: { a: key } })))).toEqual([
      ["INVALID_NODE_DATA", "/workflow/nodes/0/data/workflow/nodes/0/data/headers/a"],
    ]);
    expect(await issuesOf(inside(node({ body: key })), secrets)).toEqual([
      ["INVALID_NODE_DATA", "/workflow/nodes/0/data/workflow/nodes/0/data/body"],
    ]);
    const policy = { onError: "default", default: { key } };
    expect(await issuesOf(inside({ ...node({}), policy }), secrets)).toEqual([
      ["INVALID_NODE_DATA", "/workflow/nodes/0/data/workflow/nodes/0/policy/default/key"],
    ]);
  });
});

describe("what a request brings", () => {
  test("its traceparent reaches the nodes", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const type = probe(async (context) => context.traceparent ?? null);
    const updates = await run(type, named(1), { traceparent });
    expect(updates).toContainEqual(expect.objectContaining({ value: traceparent }));
  });
});

describe("a retry", () => {
  const delays = async (retryAfterMs: unknown, delayMs = 0) => {
    const type = probe(async () => {
      throw new NodeflowError("UPSTREAM_ERROR", "Busy", { details: { retryAfterMs } });
    });
    const updates = await run(type, named(1, {}, { retry: { maxAttempts: 2, delayMs } }));
    return updates.flatMap((update) =>
      update.type === "node-failed" && update.willRetry ? [update.delayMs] : [],
    );
  };

  test("waits as long as whoever was called asks, within reason, and never less than its policy says", async () => {
    expect(await delays(5_000)).toEqual([5_000]);
    expect(await delays(5_000, 20_000)).toEqual([20_000]);
    expect(await delays(1e12)).toEqual([600_000]);
    for (const nonsense of [-1, Number.NaN, Number.POSITIVE_INFINITY, "soon", null])
      expect(await delays(nonsense, 7)).toEqual([7]);
  });
});
