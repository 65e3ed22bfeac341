import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Capabilities, type ExecutionUpdate } from "../../../protocol/index.ts";
import { allOf, post } from "../node/service-harness.ts";
import { type Upstream, upstream } from "../node/upstream.ts";
import { startWorkerd, type Workerd } from "./workerd.ts";

const CANARY = "workers-canary-0123456789";

describe("calling out from workerd", () => {
  let workerd: Workerd;
  let server: Upstream;
  let dropped: number;
  beforeAll(async () => {
    server = await upstream({
      "/json": (response) => void response.end('{"a": 1}'),
      "/lines": (response) => void response.end("one\ntwo\n"),
      "/sse": (response) => void response.end("event: e\ndata: 1\n\n"),
      "/echo": (response, { headers }) => void response.end(JSON.stringify(headers)),
      "/slow": (response) => void setTimeout(() => response.end("1"), 100),
      "/bomb": (response) =>
        void response
          .writeHead(200, { "content-encoding": "gzip" })
          .end(gzipSync(Buffer.alloc(32 * 1024 * 1024))),
      "/away": (response) => void response.writeHead(302, { location: "http://10.0.0.1/" }).end(),
      "/moved": (response) => void response.writeHead(302, { location: "/json" }).end(),
      "/endless": (response) => {
        const writing = setInterval(() => response.write("more\n"), 10);
        response.once("close", () => {
          clearInterval(writing);
          dropped = performance.now();
        });
      },
    });
    workerd = await startWorkerd({
      NODEFLOW_ALLOW_NETWORKS: "127.0.0.0/8",
      NODEFLOW_MAX_RESPONSE_BYTES: "1000000",
      NODEFLOW_TOKENS: "ada:0123456789abcdef",
      NODEFLOW_TOKEN_SECRETS: "ada:*",
      NODEFLOW_SECRET_KEY: CANARY,
      NODEFLOW_SECRET_KEY_ORIGINS: server.url,
    });
  });
  afterAll(async () => {
    await workerd?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });
  const headers = { authorization: "Bearer 0123456789abcdef" };
  const run = async (nodes: object[]) => allOf(await post(workerd.url, { nodes, edges: [] }, headers));
  const call = (data: object) => run([{ id: "call", type: "http", data }]);
  const outputOf = (updates: ExecutionUpdate[]) =>
    updates.flatMap((update) => (update.type === "node-output" ? [update.value] : []));

  test("reads answers, and follows redirects", async () => {
    expect(outputOf(await call({ url: `${server.url}/json` }))).toEqual([{ a: 1 }]);
    expect(outputOf(await call({ url: `${server.url}/moved` }))).toEqual([{ a: 1 }]);
    expect(outputOf(await call({ url: `${server.url}/lines`, read: "lines" }))).toEqual(["one", "two"]);
    expect(outputOf(await call({ url: `${server.url}/sse`, read: "sse" }))).toEqual([
      { event: "e", data: "1" },
    ]);
  });

  test("has six connections of a run open at once, and no more", async () => {
    const nodes = Array.from({ length: 20 }, (_, index) => ({
      id: `call-${index}`,
      type: "http",
      data: { url: `${server.url}/slow` },
    }));
    const updates = await run(nodes);
    expect(updates.at(-1)).toMatchObject({ type: "execution-completed", metrics: { calls: 20 } });
    expect(server.most()).toBe(6);
    const capabilities = Capabilities.parse(
      await (await fetch(`${workerd.url}/capabilities`, { headers })).json(),
    );
    expect(capabilities.limits["maxConnections"]).toBe(6);
  });

  test("bounds answers by what they unpack to", async () => {
    const updates = await call({ url: `${server.url}/bomb`, read: "bytes" });
    expect(updates.at(-1)).toMatchObject({ error: { code: "OUTPUT_TOO_LARGE" } });
  });

  test.each([
    "http://10.0.0.1/",
    "http://[::1]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://0xa9fea9fe/",
    "http://localhost/",
    "http://a.localhost./",
    "http://example.org:22/",
  ])("doesn't call %s", async (url) => {
    expect((await call({ url })).at(-1)).toMatchObject({
      error: { code: "UPSTREAM_ERROR", retryable: false },
    });
  });

  test("doesn't follow a redirect to what isn't called", async () => {
    expect((await call({ url: `${server.url}/away` })).at(-1)).toMatchObject({
      error: { code: "UPSTREAM_ERROR", retryable: false },
    });
  });

  test("lets go of what it reads as soon as the client has gone", async () => {
    const leaving = new AbortController();
    const body = {
      nodes: [{ id: "call", type: "http", data: { url: `${server.url}/endless`, read: "lines" } }],
      edges: [],
    };
    const response = await post(workerd.url, body, headers, leaving.signal);
    const reader = response.body?.getReader();
    let text = "";
    while (!text.includes("more")) text += new TextDecoder().decode((await reader?.read())?.value);
    const left = performance.now();
    leaving.abort();
    await expect.poll(() => dropped, { timeout: 5_000, interval: 5 }).toBeGreaterThan(left);
    // Wrangler's own proxy stands between.
    expect(dropped - left).toBeLessThan(1_000);
  });

  test("sends secrets where they may go, and tells nobody", async () => {
    const updates = await call({ url: `${server.url}/echo`, headers: { "x-key": { $secret: "KEY" } } });
    expect(server.seen.at(-1)?.headers["x-key"]).toBe(CANARY);
    expect(outputOf(updates)).toMatchObject([{ "x-key": "[secret KEY]" }]);
    expect(JSON.stringify(updates) + workerd.log()).not.toContain(CANARY);
  });
});
