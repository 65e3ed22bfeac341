import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EnvironmentError } from "../../../compute/hosts/environment.ts";
import { allOf, errorOf, post, raw, type Served, serve, waiting } from "./service-harness.ts";

const ADA = { authorization: "Bearer ada-ada-ada-ada-ada" };
const BOB = { authorization: "Bearer bob-bob-bob-bob-bob" };
const TOKENS = "ada:ada-ada-ada-ada-ada,bob:bob-bob-bob-bob-bob";
const ONE = { nodes: [{ id: "a", type: "constant", data: { value: 1 } }], edges: [] };

/** `fetch` doesn't let a caller choose its Host or Origin. */
function ask(port: number, path: string, headers: Record<string, string>, method = "GET") {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: string }>(
    (resolve, reject) => {
      const asking = request({ port, host: "127.0.0.1", path, method, headers }, (answer) => {
        let body = "";
        answer.setEncoding("utf8");
        answer.on("data", (chunk: string) => {
          body += chunk;
        });
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }));
      });
      asking.on("error", reject);
      asking.end();
    },
  );
}

describe("a service without tokens", () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve({ NODEFLOW_ORIGINS: "http://localhost:5173" });
  });
  afterAll(() => served[Symbol.asyncDispose]());

  it.each(["0.0.0.0", "::", "192.168.1.1", "example.org"])("doesn't listen on %s", async (host) => {
    await expect(serve({ HOST: host })).rejects.toThrow(EnvironmentError);
    await expect(serve({ HOST: host })).rejects.toThrow(/NODEFLOW_TOKENS/);
  });

  it.each(["localhost", "localhost:1234", "127.0.0.1", "[::1]:8787"])("answers to %s", async (host) => {
    expect((await ask(served.port, "/health", { host })).status).toBe(200);
  });

  it.each([
    "evil.example",
    "127.0.0.1.evil.example",
    "0.0.0.0",
    "192.168.0.1:8787",
    "localhost.evil.example",
  ])("doesn't answer to %s", async (host) => {
    for (const path of ["/health", "/capabilities", "/openapi.json", "/nothing"]) {
      const answer = await ask(served.port, path, { host });
      expect(answer.status).toBe(403);
      expect(JSON.parse(answer.body)).toMatchObject({ error: { code: "FORBIDDEN" } });
    }
  });

  it.each([
    "https://evil.example",
    "null",
    "http://localhost:9999",
    "file://",
    "http://127.0.0.1.evil.example",
  ])("refuses pages from %s, and gives them no CORS", async (origin) => {
    for (const method of ["GET", "OPTIONS", "POST"]) {
      const answer = await ask(served.port, "/execute", { origin }, method);
      expect(answer.status).toBe(403);
      expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
    }
  });

  it("isn't taken in by a request that names another host as its target", async () => {
    const evil = "http://evil.example";
    const answer = await raw(
      served.port,
      `GET ${evil}/health HTTP/1.1\r\nHost: localhost\r\nOrigin: ${evil}\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
  });

  it("serves its own pages and those of listed origins", async () => {
    const own = await ask(served.port, "/health", { origin: served.url });
    expect(own.status).toBe(200);
    const listed = await ask(served.port, "/health", { origin: "http://localhost:5173" });
    expect(listed.headers["access-control-allow-origin"]).toBe("http://localhost:5173");
  });

  it("knows one caller, and doesn't count its requests", async () => {
    for (let i = 0; i < 300; i++) expect((await ask(served.port, "/capabilities", {})).status).toBe(200);
  });
});

describe("a service with tokens", () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve({
      HOST: "0.0.0.0",
      NODEFLOW_TOKENS: TOKENS,
      NODEFLOW_ORIGINS: "https://app.example",
    });
  });
  afterAll(() => served[Symbol.asyncDispose]());
  const url = () => `http://127.0.0.1:${served.port}`;

  it("answers 401 to nobody known, for all that concerns runs", async () => {
    for (const [method, path] of [
      ["POST", "/execute"],
      ["POST", "/validate"],
      ["GET", "/capabilities"],
      ["GET", "/metrics"],
      ["DELETE", "/executions/x"],
    ] as const) {
      const response = await fetch(url() + path, {
        method,
        headers: { authorization: "Bearer wrong-wrong-wrong" },
      });
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toMatch(/^Bearer /);
      expect(await errorOf(response)).toMatchObject({ code: "UNAUTHENTICATED", retryable: false });
    }
  });

  it("tells anybody whether it is well, under any name", async () => {
    expect((await ask(served.port, "/health", { host: "compute.example" })).status).toBe(200);
  });

  it("runs for those it knows", async () => {
    expect((await allOf(await post(url(), ONE, ADA))).at(-1)).toMatchObject({ type: "execution-completed" });
  });

  it("lets nobody cancel another's run, nor learn of it", async () => {
    const response = await post(url(), waiting(60_000), ADA);
    const path = `${url()}/executions/${response.headers.get("x-execution-id")}`;
    const other = await fetch(path, { method: "DELETE", headers: BOB });
    expect(other.status).toBe(404);
    expect((await fetch(path, { method: "DELETE", headers: ADA })).status).toBe(202);
    expect((await allOf(response)).at(-1)).toMatchObject({ type: "execution-cancelled", reason: "client" });
  });

  it("answers preflights of listed origins only", async () => {
    const asking = {
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type",
    };
    const listed = await ask(
      served.port,
      "/execute",
      { origin: "https://app.example", ...asking },
      "OPTIONS",
    );
    expect(listed.status).toBe(204);
    expect(listed.headers).toMatchObject({
      "access-control-allow-origin": "https://app.example",
      "access-control-allow-methods": expect.stringContaining("DELETE"),
      "access-control-allow-headers": expect.stringContaining("authorization"),
      vary: expect.stringContaining("Origin"),
    });
    const other = await ask(
      served.port,
      "/execute",
      { origin: "https://evil.example", ...asking },
      "OPTIONS",
    );
    expect(other.headers).not.toHaveProperty("access-control-allow-origin");
  });

  it("exposes what a page has to read, also on errors", async () => {
    const origin = "https://app.example";
    const ran = await fetch(`${url()}/execute`, {
      method: "POST",
      headers: { ...ADA, origin, "content-type": "application/json" },
      body: JSON.stringify(ONE),
    });
    await ran.text();
    const exposed = ran.headers.get("access-control-expose-headers") ?? "";
    expect(exposed).toContain("x-execution-id");
    expect(exposed).toContain("retry-after");
    expect(ran.headers.get("x-execution-id")).toBeTruthy();
    const failed = await ask(served.port, "/capabilities", { origin });
    expect(failed.status).toBe(401);
    expect(failed.headers["access-control-allow-origin"]).toBe(origin);
  });
});

describe("a service under load", () => {
  it("limits each caller's requests, and tells when to come again", async () => {
    await using served = await serve({
      NODEFLOW_TOKENS: TOKENS,
      NODEFLOW_RATE_PER_SECOND: "0.5",
      NODEFLOW_RATE_BURST: "3",
    });
    for (let i = 0; i < 3; i++) expect((await post(served.url, ONE, ADA)).status).toBe(200);
    const refused = await post(served.url, ONE, ADA);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect(await errorOf(refused)).toMatchObject({ code: "RATE_LIMITED", retryable: true });
    expect((await post(served.url, ONE, BOB)).status).toBe(200);
  });

  it("takes no more runs than it has room for", async () => {
    await using served = await serve({ NODEFLOW_MAX_ACTIVE_RUNS: "2" });
    const leaving = new AbortController();
    for (let i = 0; i < 2; i++) {
      expect((await post(served.url, waiting(60_000), {}, leaving.signal)).status).toBe(200);
    }
    const refused = await post(served.url, ONE);
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(await errorOf(refused)).toMatchObject({ code: "CAPACITY_EXCEEDED", retryable: true });
    leaving.abort();
    await expect.poll(async () => (await post(served.url, ONE)).status).toBe(200);
  });
});
