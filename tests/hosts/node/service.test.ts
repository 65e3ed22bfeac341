import { createParser } from "eventsource-parser";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Capabilities, type ExecutionResult, Health, isTerminal } from "../../../protocol/index.ts";
import {
  allOf,
  ENDLESS,
  errorOf,
  post,
  raw,
  type Served,
  serve,
  updatesOf,
  waiting,
} from "./service-harness.ts";

const ADDITION = {
  nodes: [
    { id: "two", type: "constant", data: { value: 2 } },
    { id: "double", type: "transform", data: { expression: "$ * 2" } },
    { id: "result", type: "output", data: { name: "sum" } },
  ],
  edges: [
    { source: "two", target: "double" },
    { source: "double", target: "result" },
  ],
};

describe("the service on Node", () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve();
  });
  afterAll(() => served[Symbol.asyncDispose]());
  const get = (path: string, init?: RequestInit) => fetch(served.url + path, init);

  describe("POST /execute", () => {
    it("streams Server-Sent Events unless asked for something else", async () => {
      const response = await post(served.url, ADDITION, { accept: "*/*" });
      expect(response.status).toBe(200);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        "content-type": "text/event-stream",
        "cache-control": "no-cache, no-transform",
        "x-accel-buffering": "no",
        "x-execution-id": expect.stringMatching(/^\S{16,}$/),
      });
      expect(response.headers.has("content-encoding")).toBe(false);
      const events: { id?: string | undefined; event?: string | undefined; data: string }[] = [];
      createParser({ onEvent: (event) => events.push(event) }).feed(await response.text());
      const updates = events.map(({ data }) => JSON.parse(data));
      expect(updates.map(({ seq }) => seq)).toEqual(updates.map((_, i) => i + 1));
      expect(events.map(({ id }) => id)).toEqual(updates.map(({ seq }) => String(seq)));
      expect(events.map(({ event }) => event)).toEqual(updates.map(({ type }) => type));
      expect(updates[0]).toMatchObject({
        type: "execution-started",
        executionId: response.headers.get("x-execution-id"),
        runtime: "node",
        nodes: 3,
        edges: 2,
      });
      expect(updates.at(-1)).toMatchObject({ type: "execution-completed", outputs: { sum: 4 } });
    });

    it("streams lines of JSON", async () => {
      const response = await post(served.url, ADDITION, { accept: "application/x-ndjson" });
      expect(response.headers.get("content-type")).toBe("application/x-ndjson");
      expect((await allOf(response)).at(-1)).toMatchObject({ outputs: { sum: 4 } });
    });

    it("answers with one object", async () => {
      const response = await post(served.url, ADDITION, { accept: "application/json" });
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe("application/json");
      const result = (await response.json()) as ExecutionResult;
      expect(result).toMatchObject({ status: "completed", outputs: { sum: 4 } });
      expect(result.executionId).toBe(response.headers.get("x-execution-id"));
      expect(result).not.toHaveProperty("checkpoint");
      expect(result).not.toHaveProperty("error");
    });

    it("answers with one object that tells how a run failed, and what is there to go on from", async () => {
      const failing = {
        nodes: [
          ...ADDITION.nodes,
          { id: "bad", type: "transform", data: { expression: "$.x.y ~> $error('no')" } },
        ],
        edges: [...ADDITION.edges, { source: "double", target: "bad" }],
      };
      const response = await post(served.url, failing, { accept: "application/json" });
      expect(response.status).toBe(200);
      const result = (await response.json()) as ExecutionResult;
      expect(result).toMatchObject({ status: "failed", error: { code: "EXPRESSION_ERROR", nodeId: "bad" } });
      expect(result.checkpoint?.nodes).toHaveProperty("double");
    });

    it("answers with one object that tells what a suspended run asks", async () => {
      const asking = {
        nodes: [{ id: "ask", type: "tool", data: { tool: "approve", args: { sum: 1 } } }],
        edges: [],
      };
      const result = (await (
        await post(served.url, asking, { accept: "application/json" })
      ).json()) as ExecutionResult;
      expect(result).toMatchObject({ status: "suspended", requests: [{ nodeId: "ask", tool: "approve" }] });
      const answered = await post(
        served.url,
        { workflow: asking, checkpoint: result.checkpoint, answers: { ask: { value: "yes" } } },
        { accept: "application/json" },
      );
      expect(await answered.json()).toMatchObject({ status: "completed" });
    });

    it.each([
      ["text/event-stream;q=0.5, application/x-ndjson", "application/x-ndjson"],
      ["application/x-ndjson;q=0.1, application/json;q=0.9", "application/json"],
      ["application/msgpack", "application/msgpack"],
      ["text/*", "text/event-stream"],
      ["text/html", "text/event-stream"],
      ["", "text/event-stream"],
    ])("takes %j as a wish for %s", async (accept, type) => {
      const response = await post(served.url, ADDITION, { accept });
      expect(response.headers.get("content-type")).toBe(type);
      await response.arrayBuffer();
    });

    it("sends the first update before the last node has begun", async () => {
      const started = performance.now();
      const response = await post(served.url, waiting(400));
      const updates = updatesOf(response);
      const first = await updates.next();
      expect(first.value).toMatchObject({ type: "execution-started" });
      expect(performance.now() - started).toBeLessThan(300);
      for await (const update of updates)
        if (isTerminal(update)) expect(update.type).toBe("execution-completed");
    });

    it("carries the caller's trace id", async () => {
      const traceId = "0af7651916cd43dd8448eb211c80319c";
      const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
      const [first] = await allOf(await post(served.url, ADDITION, headers));
      expect(first).toMatchObject({ type: "execution-started", traceId });
      expect(await errorOf(await post(served.url, { nodes: 1 }, headers))).toMatchObject({ traceId });
    });

    it("takes a workflow as React Flow exports it", async () => {
      const exported = {
        nodes: ADDITION.nodes.map((node, i) => ({
          ...node,
          position: { x: i, y: i },
          measured: { width: 1, height: 1 },
          selected: false,
        })),
        edges: ADDITION.edges.map((edge, i) => ({
          id: `e${i}`,
          sourceHandle: null,
          targetHandle: null,
          ...edge,
        })),
        viewport: { x: 0, y: 0, zoom: 1 },
      };
      expect((await allOf(await post(served.url, exported))).at(-1)).toMatchObject({ outputs: { sum: 4 } });
    });
  });

  describe("DELETE /executions/:id", () => {
    it("cancels a run that is under way, and knows it no more", async () => {
      const response = await post(served.url, waiting(60_000));
      const id = response.headers.get("x-execution-id");
      expect((await get(`/executions/${id}`, { method: "DELETE" })).status).toBe(202);
      const updates = await allOf(response);
      expect(updates.filter(isTerminal)).toEqual([
        expect.objectContaining({ type: "execution-cancelled", reason: "client" }),
      ]);
      await expect.poll(async () => (await get(`/executions/${id}`, { method: "DELETE" })).status).toBe(404);
    });

    it("knows no others", async () => {
      const response = await get("/executions/nothing", { method: "DELETE" });
      expect(response.status).toBe(404);
      expect(await errorOf(response)).toMatchObject({ code: "NOT_FOUND", retryable: false });
    });
  });

  describe("POST /validate", () => {
    const validate = (body: unknown) =>
      get("/validate", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });

    it("finds nothing wrong with a good workflow", async () => {
      const response = await validate(ADDITION);
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({ valid: true, issues: [], notes: [] });
    });

    it("tells all that is wrong with a bad one, with status 200", async () => {
      const response = await validate({
        nodes: [
          { id: "a", type: "range", data: { to: "ten" } },
          { id: "a", type: "nonsense" },
        ],
        edges: [{ source: "a", target: "b" }],
      });
      expect(response.status).toBe(200);
      const { valid, issues } = (await response.json()) as {
        valid: boolean;
        issues: { code: string; path: string }[];
      };
      expect(valid).toBe(false);
      expect(issues.map(({ code }) => code)).toEqual(
        expect.arrayContaining(["INVALID_NODE_DATA", "DUPLICATE_NODE_ID", "INVALID_EDGE_TARGET"]),
      );
      expect(issues.every(({ path }) => path.startsWith("/workflow/"))).toBe(true);
    });

    it("refuses what isn't a request at all", async () => {
      expect((await validate({ nodes: 1 })).status).toBe(400);
    });
  });

  describe("what it says of itself", () => {
    it("GET /capabilities", async () => {
      const capabilities = await (await get("/capabilities")).json();
      expect(capabilities).toMatchObject({
        protocol: 1,
        version: expect.stringMatching(/^\d+\.\d+\.\d+/),
        runtime: "node",
        maxNodes: 100_000,
        maxBodyBytes: 32 * 1024 * 1024,
        limits: { maxDepth: 128, maxStarts: 1_000_000, notes: expect.stringContaining("per process") },
        features: expect.arrayContaining(["sse", "cancel"]),
        estimatedLatency: expect.any(Number),
      });
      const { nodeTypes, supportedNodeTypes } = Capabilities.parse(capabilities);
      expect(nodeTypes.map(({ type }) => type)).toEqual(supportedNodeTypes);
      const types = Object.fromEntries(nodeTypes.map((type) => [type.type, type]));
      expect(types["range"]).toMatchObject({
        inputs: {},
        outputs: { out: "items" },
        data: { type: "object", properties: { to: { type: "number" } }, required: ["to"] },
        effect: "pure",
        cost: "trivial",
      });
      expect(types["delay"]).toMatchObject({ inputs: { in: { many: true } } });
      expect(types["switch"]).toMatchObject({ outputs: { "*": "value" } });
      expect(types["map"]).toMatchObject({
        inputs: { in: { live: expect.any(Array) } },
        outputs: { out: "items" },
      });
      expect(types["subflow"]).toMatchObject({
        inputs: { "*": {} },
        outputs: { out: "value", "*": "value" },
      });
      expect(types["tool"]).toMatchObject({ effect: "effectful" });
    });

    it("GET /health", async () => {
      const health = Health.strict().parse(await (await get("/health")).json());
      expect(health).toMatchObject({ status: "ok", runtime: "node", executions: { capacity: 1_000 } });
      expect((await get("/health", { method: "HEAD" })).status).toBe(200);
    });

    it("GET /openapi.json", async () => {
      const document = (await (await get("/openapi.json")).json()) as {
        openapi: string;
        paths: object;
        components: { schemas: object };
      };
      expect(document.openapi).toBe("3.1.0");
      expect(Object.keys(document.paths)).toEqual(
        expect.arrayContaining([
          "/execute",
          "/executions/{id}",
          "/validate",
          "/capabilities",
          "/health",
          "/metrics",
        ]),
      );
      const refs = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
        ([, name]) => name,
      );
      for (const name of new Set(refs)) expect(document.components.schemas).toHaveProperty(String(name));
    });

    it("GET /metrics", async () => {
      const response = await get("/metrics");
      expect(response.headers.get("content-type")).toMatch(/^text\/plain/);
      const text = await response.text();
      expect(text).toMatch(/^nodeflow_executions_active \d+$/m);
      expect(text).toMatch(/^nodeflow_http_requests_total\{route="\/health",status="200"\} \d+$/m);
    });
  });

  describe("what isn't there", () => {
    it("is 404, in the one envelope", async () => {
      const response = await get("/nothing");
      expect(response.status).toBe(404);
      expect(await errorOf(response)).toEqual({
        code: "NOT_FOUND",
        message: expect.any(String),
        retryable: false,
      });
    });

    it.each([
      ["GET", "/execute", "POST"],
      ["PUT", "/validate", "POST"],
      ["POST", "/health", "GET, HEAD"],
      ["GET", "/executions/x", "DELETE"],
    ])("%s %s is 405 and says what is possible", async (method, path, allow) => {
      const response = await get(path, { method });
      expect(response.status).toBe(405);
      expect(response.headers.get("allow")).toBe(allow);
      expect(await errorOf(response)).toMatchObject({ code: "INVALID_REQUEST" });
    });
  });

  describe("bytes that aren't a request", () => {
    it.each([
      ["nonsense", "what is this\r\n\r\n"],
      ["no Host", "GET /health HTTP/1.1\r\nConnection: close\r\n\r\n"],
      ["a Host that isn't one", "GET /health HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n"],
      [
        "both kinds of length",
        "POST /execute HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      ],
      [
        "a length that isn't a number",
        "POST /execute HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
      ],
      [
        "a chunk length that isn't one",
        "POST /execute HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
      ],
    ])("%s is 400", async (_, bytes) => {
      const answer = await raw(served.port, bytes);
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    });

    it("headers without end are 431", async () => {
      const answer = await raw(
        served.port,
        `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(100_000)}\r\n\r\n`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 431 /);
      expect(answer).toContain('"code":"INVALID_REQUEST"');
    });
  });

  it("leaves nothing behind when a client leaves in the middle", async () => {
    const leaving = new AbortController();
    const response = await post(served.url, ENDLESS, {}, leaving.signal);
    await updatesOf(response).next();
    expect(served.server.service.runs.active).toBeGreaterThan(0);
    leaving.abort();
    await expect.poll(() => served.server.service.runs.active, { interval: 1 }).toBe(0);
  });

  it("wrote nothing for its operator, since nothing was its own fault", () => {
    expect(served.errors).toEqual([]);
  });
});
