import { describe, expect, it } from "vitest";
import { createEngine, localRunner } from "../../compute/engine/index.ts";
import { webClock, webRandom } from "../../compute/hosts/web.ts";
import { builtinNodes } from "../../compute/nodes/index.ts";
import { anyone, createService } from "../../compute/service/index.ts";
import {
  DEFAULT_LIMITS,
  type ErrorInfo,
  type ExecutionUpdate,
  isTerminal,
  type Limits,
} from "../../protocol/index.ts";
import { BAD_BODIES, NAUGHTY, PROTO_KEYS } from "./bad-input.ts";

const faults: unknown[] = [];

function service(limits: Partial<Limits> = {}) {
  return createService({
    engine: createEngine({
      runtime: "node",
      types: builtinNodes,
      runner: localRunner,
      clock: webClock(),
      random: webRandom,
      limits: { ...DEFAULT_LIMITS, ...limits },
    }),
    version: "0.0.0",
    logger: { info() {}, error: (...fault) => faults.push(fault) },
    authorize: anyone,
    loopbackOnly: false,
    origins: [],
    cancellable: true,
    notes: [],
    heartbeatMs: 15_000,
    writeDeadlineMs: 30_000,
  });
}

const { app } = service();

async function post(body: string | Uint8Array, type = "application/json", at = app): Promise<Response> {
  return at.request("/execute", {
    method: "POST",
    headers: { "content-type": type, accept: "application/x-ndjson" },
    body: body as string,
  });
}

async function errorOf(
  response: Response,
): Promise<ErrorInfo & { details?: { path: string; code?: string }[] }> {
  return ((await response.json()) as { error: ErrorInfo & { details?: { path: string; code?: string }[] } })
    .error;
}

async function updatesOf(response: Response): Promise<ExecutionUpdate[]> {
  const lines = (await response.text()).split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as ExecutionUpdate);
}

/** An answer that is neither a crash nor a hang: a refusal with a code, or a run with exactly one end. */
async function expectAnswer(response: Response): Promise<void> {
  if (response.status === 200) {
    expect((await updatesOf(response)).filter(isTerminal)).toHaveLength(1);
    return;
  }
  expect(response.status).toBeGreaterThanOrEqual(400);
  expect(response.status).toBeLessThan(500);
  expect((await errorOf(response)).code).toMatch(/^[A-Z_]+$/);
}

function expectUnharmed(): void {
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  expect(([] as unknown as Record<string, unknown>)["polluted"]).toBeUndefined();
  expect(faults).toEqual([]);
}

describe("a bad body", () => {
  it.each(BAD_BODIES)("$name", async ({ body, type, status, code, path, issue }) => {
    const response = await post(body, type);
    expect(response.status).toBe(status);
    const error = await errorOf(response);
    expect(error).toMatchObject({ code, retryable: false, message: expect.any(String) });
    expect(error.message.length).toBeLessThan(2_000);
    expect(JSON.stringify(error)).not.toMatch(/\bat .+:\d+:\d+|node_modules|\.ts\b/);
    if (path !== undefined) expect(error.details?.map((detail) => detail.path)).toContain(path);
    if (issue !== undefined) {
      expect(error.details?.map((detail) => detail.code)).toContain(issue);
      expect(error.details?.every((detail) => detail.path.startsWith("/"))).toBe(true);
    }
    expectUnharmed();
  });

  it.each(PROTO_KEYS)("__proto__ %s", async (_, body) => {
    await expectAnswer(await post(body));
    expectUnharmed();
  });

  it.each([
    ["text/plain", '{"nodes":[]}'],
    ["", '{"nodes":[]}'],
    ["application/jsonp", '{"nodes":[]}'],
    ["application/json, text/plain", '{"nodes":[]}'],
    ["multipart/form-data; boundary=x", "--x--"],
    ["application/json; charset=utf-16", '{"nodes":[]}'],
    ["application/x-msgpack-sort-of", new Uint8Array([0x80])],
  ])("of type %j is 415", async (type, body) => {
    const response = await post(body, type);
    expect(response.status).toBe(415);
    expect(await errorOf(response)).toMatchObject({ code: "UNSUPPORTED_MEDIA_TYPE" });
  });

  it.each(["application/json; charset=utf-8", 'application/json;charset="UTF-8"', "Application/JSON"])(
    "of type %j is read",
    async (type) =>
      expectAnswer(await post('{"nodes":[{"id":"a","type":"constant","data":{"value":1}}]}', type)),
  );
});

describe("a body that is too large", () => {
  const { app: small } = service({ maxBodyBytes: 1_000, maxBodyItems: 10_000_000 });

  it("is refused by what it says, before it is read", async () => {
    const response = await post(`{"nodes":[],"x":"${"x".repeat(1_000)}"}`, undefined, small);
    expect(response.status).toBe(413);
    expect(await errorOf(response)).toMatchObject({ code: "PAYLOAD_TOO_LARGE", retryable: false });
  });

  it.each([
    ["application/json", [0x5b], 0x20],
    ["application/msgpack", [0xdd, 0x00, 0x0f, 0xff, 0xff], 0xc0],
  ])("is refused where it becomes so, if it says nothing (%s)", async (type, opening, byte) => {
    let pulled = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled += 1;
        controller.enqueue(pulled === 1 ? Uint8Array.from(opening) : new Uint8Array(100).fill(byte));
      },
    });
    const response = await small.request("/execute", {
      method: "POST",
      headers: { "content-type": type },
      body: endless,
      duplex: "half",
    } as RequestInit);
    expect(response.status).toBe(413);
    expect(pulled).toBeLessThan(20);
  });

  it("is refused by the number of its values too: ten million empty lists are small only on the wire", async () => {
    const response = await post(new Uint8Array(10_000_000).fill(0x90), "application/msgpack");
    expect([400, 413]).toContain(response.status);
    const lists = await post(`[${"[],".repeat(5_000_000)}[]]`);
    expect(lists.status).toBe(413);
  });

  it("a million edges is refused as a graph", async () => {
    const edges = Array.from({ length: 1_000_000 }, () => '{"source":"a","target":"b"}').join(",");
    const body = `{"nodes":[{"id":"a","type":"constant","data":{"value":1}},{"id":"b","type":"merge","data":{"mode":"all"}}],"edges":[${edges}]}`;
    const response = await post(body);
    expect(response.status).toBe(422);
    expect((await errorOf(response)).details?.map(({ code }) => code)).toContain("GRAPH_TOO_LARGE");
  });
});

describe("a small body that wants much", () => {
  it("nested maps that would start a billion nodes end as RESOURCE_EXHAUSTED", async () => {
    const { app: modest } = service({ maxStarts: 20_000 });
    const range = { id: "r", type: "range", data: { from: 1, to: 1_000 } };
    const map = (workflow: object) => ({ id: "m", type: "map", data: { workflow } });
    const edges = [{ source: "r", target: "m" }];
    const inner = { nodes: [{ id: "x", type: "transform", data: { expression: "1" } }], edges: [] };
    const middle = { nodes: [range, map(inner)], edges };
    const outer = { nodes: [range, map(middle)], edges };
    const body = JSON.stringify({
      workflow: { nodes: [range, map(outer)], edges },
      options: { outputs: "none" },
    });
    const updates = await updatesOf(await post(body, undefined, modest));
    expect(updates.at(-1)).toMatchObject({ type: "execution-failed", error: { code: "RESOURCE_EXHAUSTED" } });
    expect(updates.filter(isTerminal)).toHaveLength(1);
  });

  it("a value that doubles itself ends as an error of the run", async () => {
    const { app: modest } = service({ maxValueBytes: 100_000, maxRetainedBytes: 1_000_000 });
    const doubling = {
      nodes: [
        { id: "seed", type: "constant", data: { value: "x" } },
        {
          id: "grow",
          type: "loop",
          data: {
            while: "true",
            maxIterations: 1_000,
            workflow: {
              nodes: [
                { id: "v", type: "input", data: { name: "value" } },
                { id: "twice", type: "transform", data: { expression: "$ & $" } },
                { id: "o", type: "output", data: { name: "value" } },
              ],
              edges: [
                { source: "v", target: "twice" },
                { source: "twice", target: "o" },
              ],
            },
          },
        },
      ],
      edges: [{ source: "seed", target: "grow" }],
    };
    const updates = await updatesOf(await post(JSON.stringify(doubling), undefined, modest));
    expect(updates.at(-1)).toMatchObject({
      type: "execution-failed",
      error: { code: expect.stringMatching(/^(OUTPUT_TOO_LARGE|RESOURCE_EXHAUSTED)$/) },
    });
  });
});

describe("a forged checkpoint", () => {
  const workflow = {
    nodes: [
      { id: "rows", type: "range", data: { to: 3 } },
      {
        id: "each",
        type: "map",
        data: {
          workflow: {
            nodes: [
              { id: "item", type: "input", data: { name: "item" } },
              { id: "twice", type: "transform", data: { expression: "$ * 2" } },
            ],
            edges: [{ source: "item", target: "twice" }],
          },
        },
      },
      { id: "ask", type: "tool", data: { tool: "approve" } },
    ],
    edges: [{ source: "rows", target: "each" }],
  };
  const forged = (nodes: unknown) =>
    JSON.stringify({ workflow, checkpoint: { protocol: 1, runId: "forged", seed: "s", nodes } });
  const many = Object.fromEntries(
    Array.from({ length: 20_000 }, (_, i) => [`each/${i}`, { status: "completed", item: "x", result: i }]),
  );

  it.each([
    ["of nodes that aren't there", { nobody: { status: "completed", outputs: { out: 1 } } }],
    ["with handles that aren't there", { rows: { status: "completed", outputs: { nowhere: 1 } } }],
    ["with a list that isn't one", { rows: { status: "completed", outputs: { out: "text" } } }],
    ["without outputs", { rows: { status: "completed", outputs: null } }],
    [
      "with a fingerprint of nothing",
      { rows: { status: "completed", outputs: { out: [9] }, fingerprint: "x" } },
    ],
    [
      "where a node is taken for a container",
      { rows: { status: "partial" }, "rows/0": { status: "partial", item: "x" } },
    ],
    ["where a container is taken for a scope", { each: { status: "completed", item: "x", result: 1 } }],
    ["with scopes without a container", { "each/0": { status: "completed", item: "x", result: 1 } }],
    [
      "with scopes that aren't numbers",
      {
        each: { status: "partial" },
        "each/-1": { status: "partial", item: "x" },
        "each/1e9": { status: "partial", item: "x" },
        "each/": { status: "partial", item: "x" },
      },
    ],
    [
      "with paths that aren't paths",
      {
        "": { status: "partial" },
        "/": { status: "partial" },
        "a//b": { status: "partial" },
        "each/0/../..": { status: "partial" },
      },
    ],
    [
      "with reserved words in paths",
      {
        "each/0/constructor": { status: "completed", outputs: {} },
        "toString/0": { status: "partial", item: "x" },
        hasOwnProperty: { status: "completed", outputs: { out: 1 } },
      },
    ],
    ["with 20,000 scopes", { each: { status: "partial" }, ...many }],
    ["that has answered for the client", { ask: { status: "completed", outputs: { out: "yes" } } }],
  ])("%s", async (_, nodes) => {
    await expectAnswer(await post(forged(nodes)));
    expectUnharmed();
  });

  it.each([
    ["to a node that isn't there", { nobody: { value: 1 } }],
    ["to a node that didn't ask", { rows: { value: 1 } }],
    ["to another question", { ask: { request: "nonsense", value: 1 } }],
    ["with an error that has a stack", { ask: { error: { code: "X", message: "no", stack: "at here" } } }],
    ["by a reserved word", { constructor: { value: 1 }, toString: { value: 1 } }],
  ])("an answer %s", async (_, answers) => {
    const response = await post(JSON.stringify({ workflow, answers }));
    await expectAnswer(response);
    expectUnharmed();
  });
});

describe("naughty strings", () => {
  it.each(NAUGHTY.map((text) => [JSON.stringify(text).slice(0, 40), text]))(
    "%s as id, name and value",
    async (_, text) => {
      const workflow = {
        nodes: [
          { id: text, type: "input", data: { name: text } },
          { id: `${text.slice(0, 200)}-out`, type: "output", data: { name: text } },
        ],
        edges: [{ id: text, source: text, target: `${text.slice(0, 200)}-out` }],
      };
      const response = await post(JSON.stringify({ workflow, inputs: { [text]: { [text]: text } } }));
      if (response.status !== 200) return expectAnswer(response);
      const updates = await updatesOf(response);
      expect(updates.at(-1)).toMatchObject({ type: "execution-completed" });
      const last = updates.at(-1) as Extract<ExecutionUpdate, { type: "execution-completed" }>;
      // A lone surrogate can't be written in UTF-8, so it may come back as the replacement character.
      if (text.isWellFormed()) expect(last.outputs).toEqual({ [text]: { [text]: text } });
      expectUnharmed();
    },
  );

  it("don't break Server-Sent Events", async () => {
    const value = "one\ntwo\r\nthree\rfour\u2028five\n\nevent: execution-completed\ndata: {}\n\n";
    const workflow = { nodes: [{ id: "a", type: "constant", data: { value } }], edges: [] };
    const response = await app.request("/execute", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(workflow),
    });
    const blocks = (await response.text()).split("\n\n").filter((block) => block !== "");
    for (const block of blocks) expect(block).toMatch(/^id: \d+\nevent: [a-z-]+\ndata: [^\r\n]+$/);
  });
});

describe("markers in users' own data", () => {
  it.each([
    { $bytes: "AAEC" },
    { $$bytes: "not bytes" },
    { $$$bytes: 1 },
    { $$secret: "not a secret" },
    { $bytes: "AAEC", and: "more" },
    { nested: [{ $$bytes: { $$secret: [] } }] },
  ])("%j comes back as it was posted", async (value) => {
    const workflow = {
      nodes: [
        { id: "a", type: "constant", data: { value } },
        { id: "o", type: "output", data: { name: "o" } },
      ],
      edges: [{ source: "a", target: "o" }],
    };
    const last = (await updatesOf(await post(JSON.stringify(workflow)))).at(-1);
    expect(last).toMatchObject({ type: "execution-completed" });
    expect((last as Extract<ExecutionUpdate, { type: "execution-completed" }>).outputs).toEqual({ o: value });
  });
});
