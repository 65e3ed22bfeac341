import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { ExecutionUpdate } from "../../../protocol/index.ts";
import { calling, OWN_MACHINE } from "./calling.ts";
import { type Answer, upstream } from "./upstream.ts";

const outputs = (updates: readonly ExecutionUpdate[], nodeId = "call") =>
  updates.flatMap((update) =>
    update.type === "node-output" && update.nodeId === nodeId ? [update.value] : [],
  );

/** Writes pieces one by one, each once the last one has been read on. */
const pieces =
  (type: string, ...parts: (string | Uint8Array)[]): Answer =>
  async (response) => {
    response.writeHead(200, { "content-type": type });
    for (const part of parts) {
      response.write(part);
      await new Promise(setImmediate);
      await new Promise(setImmediate);
    }
    response.end();
  };

describe("reading an answer", () => {
  test.each([
    ["json", "application/json", ['{"a": [1, ', '2], "b": "ü"}'], { a: [1, 2], b: "ü" }],
    ["text", "text/plain", ["Hello, ", "world"], "Hello, world"],
    ["lines", "text/plain", ["one\ntw", "o\r\n\nthr", "ee"], ["one", "two", "", "three"]],
    ["lines", "text/plain", ["one\n"], ["one"]],
    [
      "sse",
      "text/event-stream",
      ["event: token\nid: 7\ndata: a", "b\n\n: comment\ndata: 1\ndata: 2\n\nda", "ta: half"],
      [{ event: "token", id: "7", data: "ab" }, { data: "1\n2" }],
    ],
    ["bytes", "application/octet-stream", [Uint8Array.of(1, 2), Uint8Array.of(3)], Uint8Array.of(1, 2, 3)],
  ] as const)("as %s of %s", async (read, type, parts, value) => {
    await using server = await upstream({ "/": pieces(type, ...parts) });
    await using host = calling();
    expect((await host.call({ url: server.url, read })).value).toEqual(value);
  });

  test.each([
    ["json", null],
    ["text", ""],
    ["lines", []],
    ["sse", []],
    ["bytes", new Uint8Array()],
  ] as const)("that is empty, as %s", async (read, value) => {
    await using server = await upstream({ "/": (response) => void response.writeHead(204).end() });
    await using host = calling();
    expect((await host.call({ url: server.url, read })).value).toEqual(value);
  });

  test("streams: what has come is passed on before there is more", async () => {
    const more = Promise.withResolvers<void>();
    await using server = await upstream({
      "/": async (response) => {
        response.write("first\n");
        await more.promise;
        response.end("second\n");
      },
    });
    await using host = calling();
    const request = {
      workflow: {
        nodes: [{ id: "call", type: "http", data: { url: server.url, read: "lines" } }],
        edges: [],
      },
    };
    const updates: ExecutionUpdate[] = [];
    for await (const update of (await host.engine.prepare(request as never)).start()) {
      updates.push(update);
      if (update.type === "node-output" && update.value === "first") more.resolve();
    }
    expect(outputs(updates)).toEqual(["first", "second"]);
  });

  test("never cuts a character, and reads the charset that the answer names", async () => {
    const bytes = Buffer.from("aé𝄞z");
    const each = [...bytes].map((byte) => Uint8Array.of(byte));
    await using server = await upstream({
      "/utf8": pieces("text/plain", ...each),
      "/latin1": pieces("text/plain; charset=ISO-8859-1", Uint8Array.of(0xe9)),
      "/unknown": pieces("text/plain; charset=klingon", "x"),
    });
    await using host = calling();
    const utf8 = await host.call({ url: `${server.url}/utf8`, read: "text" });
    expect(utf8.value).toBe("aé𝄞z");
    for (const piece of outputs(utf8.updates)) expect(String(piece).isWellFormed()).toBe(true);
    expect((await host.call({ url: `${server.url}/latin1`, read: "text" })).value).toBe("é");
    expect((await host.call({ url: `${server.url}/unknown`, read: "text" })).error?.code).toBe(
      "UPSTREAM_ERROR",
    );
  });

  test("that isn't JSON says where, and isn't tried again", async () => {
    await using server = await upstream({ "/": pieces("application/json", '{"a": ]') });
    await using host = calling();
    const { error } = await host.call({ url: server.url });
    expect(error).toMatchObject({ code: "UPSTREAM_ERROR", retryable: false });
    expect(error?.message).toMatch(/line 1, column/);
  });

  test("tells how much has come of how much", async () => {
    const body = "x".repeat(300_000);
    await using server = await upstream({
      "/": (response) => void response.writeHead(200, { "content-length": body.length }).end(body),
    });
    await using host = calling();
    const { updates } = await host.call({ url: server.url, read: "text" });
    const progress = updates.filter((update) => update.type === "node-progress");
    expect(progress.length).toBeGreaterThan(0);
    expect(progress.length).toBeLessThanOrEqual(100);
    expect(progress.at(-1)).toMatchObject({ total: body.length });
  });
});

describe("what is sent", () => {
  const echo: Answer = (response, { method, headers, body, path }) =>
    void response.end(JSON.stringify({ method, path, body, headers }));
  interface Echo {
    readonly method: string;
    readonly path: string;
    readonly body: string;
    readonly headers: Record<string, string>;
  }

  test.each([
    [{ a: 1, list: [true] }, "application/json", '{"a":1,"list":[true]}'],
    ["text", "text/plain;charset=utf-8", "text"],
    [Buffer.from("bytes"), "application/octet-stream", "bytes"],
    [null, "application/json", "null"],
  ])("without a body it is what comes in: %j", async (given, type, body) => {
    await using server = await upstream({ "/": echo });
    await using host = calling();
    const value = given instanceof Uint8Array ? { $bytes: given.toString("base64") } : given;
    const { value: sent } = await host.call({ url: server.url, method: "POST" }, { inputs: { in: value } });
    expect(sent).toMatchObject({ method: "POST", body, headers: { "content-type": type } });
  });

  test("a body is a template, and a whole place is the value itself", async () => {
    await using server = await upstream({ "/": echo });
    await using host = calling();
    const data = { url: server.url, method: "PUT", body: { all: "{{a}}", said: "It is {{a.b}}" } };
    const { value } = await host.call(data, { inputs: { a: { b: 7 } } });
    expect(JSON.parse((value as unknown as Echo).body)).toEqual({ all: { b: 7 }, said: "It is 7" });
  });

  test("values inside a url can't leave their place", async () => {
    await using server = await upstream({ "/a%2F..%2Fb%3Fc": echo });
    await using host = calling();
    const url = `${server.url}/{{part}}?q={{q}}`;
    const { value } = await host.call({ url }, { inputs: { part: "a/../b?c", q: "x&y=1#z" } });
    expect(value).toMatchObject({ path: "/a%2F..%2Fb%3Fc?q=x%26y%3D1%23z" });
  });

  test("a url that is one place is the value itself", async () => {
    await using server = await upstream({ "/": echo });
    await using host = calling();
    const { value } = await host.call({ url: "{{where}}" }, { inputs: { where: `${server.url}/?a=b` } });
    expect(value).toMatchObject({ path: "/?a=b" });
    const { error } = await host.call({ url: "{{where}}" }, { inputs: { where: "nowhere" } });
    expect(error?.code).toBe("EXPRESSION_ERROR");
  });

  test("headers are filled in, and line breaks in them fail", async () => {
    await using server = await upstream({ "/": echo });
    await using host = calling();
    const data = { url: server.url, headers: { "x-id": "no. {{id}}", accept: "text/*" } };
    const { value } = await host.call(data, { inputs: { id: 7 } });
    expect(value).toMatchObject({ headers: { "x-id": "no. 7", accept: "text/*" } });
    for (const id of ["a\r\nx-evil: 1", "a\nb", "a\0b", "→"]) {
      const { error } = await host.call(data, { inputs: { id } });
      expect(error?.code).toBe("EXPRESSION_ERROR");
    }
    expect(server.seen).toHaveLength(1);
  });

  test("what has effects carries the same key over attempts; what has none carries no key", async () => {
    const answers: Answer = (response, request) => {
      response.statusCode = server.seen.length === 1 ? 503 : 200;
      echo(response, request);
    };
    await using server = await upstream({ "/": answers, "/get": echo });
    await using host = calling();
    const { updates } = await host.call(
      { url: server.url, method: "POST" },
      { policy: { retry: { maxAttempts: 2 } } },
    );
    await host.call({ url: `${server.url}/get` });
    const keys = server.seen.map(({ headers }) => headers["idempotency-key"]);
    expect(keys[0]).toMatch(/^[\w-]{22}$/);
    expect(keys).toEqual([keys[0], keys[0], undefined]);
    expect(updates.find((update) => update.type === "node-started")).toMatchObject({ effectful: true });
  });

  test("the trace of the request goes on", async () => {
    await using server = await upstream({ "/": echo });
    await using host = calling();
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await host.run(
      { workflow: { nodes: [{ id: "call", type: "http", data: { url: server.url } }], edges: [] } },
      traceparent,
    );
    expect(server.seen[0]?.headers["traceparent"]).toBe(traceparent);
  });

  test.each([
    [{ url: "ftp://example.org/" }, "/url"],
    [{ url: "not a url" }, "/url"],
    [{ url: "https://user:password@example.org/" }, "/url"],
    [{ url: "https://example.org/{{" }, "/url"],
    [{ url: "https://example.org/", body: 1 }, "/body"],
    [{ url: "https://example.org/", method: "TRACE" }, "/method"],
    [{ url: "https://example.org/", headers: { Host: "other" } }, "/headers/Host"],
    [
      { url: "https://example.org/", headers: { "transfer-encoding": "chunked" } },
      "/headers/transfer-encoding",
    ],
    [{ url: "https://example.org/", headers: { "a b": "1" } }, "/headers/a b"],
  ])("%j is refused before anything runs", async (data, path) => {
    await using host = calling();
    const request = { workflow: { nodes: [{ id: "call", type: "http", data }], edges: [] } };
    const { issues } = await host.engine.validate(request as never);
    expect(issues).toMatchObject([{ code: "INVALID_NODE_DATA", path: `/workflow/nodes/0/data${path}` }]);
  });
});

describe("failures", () => {
  test.each([
    [400, false],
    [401, false],
    [404, false],
    [408, true],
    [429, true],
    [500, true],
    [503, true],
  ])("%i: tried again: %s", async (status, retryable) => {
    await using server = await upstream({
      "/": (response) => void response.writeHead(status).end("because"),
    });
    await using host = calling();
    const { error } = await host.call({ url: `${server.url}/?q=private` });
    expect(error).toMatchObject({ code: "UPSTREAM_ERROR", retryable, details: { status, body: "because" } });
    expect(error?.message).toBe(`GET ${server.url}/ answered ${status}`);
  });

  test("a retry waits as long as the answer asks", async () => {
    await using server = await upstream({
      "/": (response) => {
        if (server.seen.length > 1) response.end("1");
        else response.writeHead(429, { "retry-after": "1" }).end();
      },
    });
    await using host = calling();
    const { updates, value } = await host.call(
      { url: server.url },
      { policy: { retry: { maxAttempts: 2 } } },
    );
    expect(updates.find((update) => update.type === "node-failed")).toMatchObject({ delayMs: 1_000 });
    expect(value).toBe(1);
  });

  test("why a call was refused is waited for a second, and no longer", async () => {
    await using server = await upstream({
      "/": (response) => {
        response.writeHead(500);
        response.write("because");
      },
    });
    await using host = calling();
    const begun = performance.now();
    const { error } = await host.call({ url: server.url });
    expect(error).toMatchObject({ details: { status: 500, body: "because" } });
    expect(performance.now() - begun).toBeLessThan(3_000);
  });

  test("nobody there is a network error that may be tried again", async () => {
    const gone = await upstream();
    await gone[Symbol.asyncDispose]();
    await using host = calling();
    const { error } = await host.call({ url: gone.url });
    expect(error).toMatchObject({ code: "UPSTREAM_ERROR", retryable: true });
    expect(error?.message).toBe(`${gone.url} can't be reached: ECONNREFUSED`);
  });

  test("an answer that is cut is no answer", async () => {
    await using server = await upstream({
      "/": (response) => {
        response.writeHead(200, { "content-length": 100 });
        response.write("half");
        setImmediate(() => response.destroy());
      },
      "/chunked": (response) => {
        response.write("half");
        setImmediate(() => response.destroy());
      },
    });
    await using host = calling();
    for (const path of ["/", "/chunked"]) {
      const { error } = await host.call({ url: server.url + path, read: "text" });
      expect(error).toMatchObject({ code: "UPSTREAM_ERROR", retryable: true });
      expect(error?.message).toContain("broke off");
    }
  });

  test("a small answer that unpacks to a large one is cut off at the cap", async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    await using server = await upstream({
      "/": (response) => void response.writeHead(200, { "content-encoding": "gzip" }).end(bomb),
    });
    await using host = calling({ ...OWN_MACHINE, NODEFLOW_MAX_RESPONSE_BYTES: "1000000" });
    for (const read of ["bytes", "text", "lines", "sse"]) {
      const { error } = await host.call({ url: server.url, read });
      expect(error).toMatchObject({ code: "OUTPUT_TOO_LARGE", retryable: false });
    }
  });

  test("a line, an event or a JSON value may be as large as a value and no larger", async () => {
    const long = "x".repeat(100_000);
    await using server = await upstream({
      "/lines": pieces("text/plain", "short\n", long, long),
      "/sse": pieces("text/event-stream", `data: ${long}`, long),
      "/json": pieces("application/json", `"${long}`, `${long}"`),
    });
    await using host = calling({ ...OWN_MACHINE, NODEFLOW_MAX_VALUE_BYTES: "150000" });
    for (const read of ["lines", "sse", "json"]) {
      const { error } = await host.call({ url: `${server.url}/${read}`, read });
      expect(error?.code).toBe("OUTPUT_TOO_LARGE");
    }
  });
});

describe("redirects", () => {
  const to =
    (status: number, location: string | (() => string)): Answer =>
    (response) =>
      void response
        .writeHead(status, { location: typeof location === "string" ? location : location() })
        .end("moved");
  const here: Answer = (response, { method, body }) => void response.end(JSON.stringify({ method, body }));

  test.each([
    [301, "POST", { method: "GET", body: "" }],
    [302, "POST", { method: "GET", body: "" }],
    [303, "POST", { method: "GET", body: "" }],
    [303, "PUT", { method: "GET", body: "" }],
    [301, "PUT", { method: "PUT", body: "x" }],
    [307, "POST", { method: "POST", body: "x" }],
    [308, "DELETE", { method: "DELETE", body: "x" }],
  ])("%i after %s", async (status, method, value) => {
    await using server = await upstream({ "/": to(status, "/here"), "/here": here });
    await using host = calling();
    const called = await host.call({ url: server.url, method, body: "x" });
    expect(called.value).toEqual(value);
    if (value.method === "GET") expect(server.seen[1]?.headers["content-type"]).toBeUndefined();
  });

  test("more than five are too many", async () => {
    await using server = await upstream({
      "/": to(302, "/"),
      "/5": to(302, "/4"),
      "/4": to(302, "/3"),
      "/3": to(302, "/2"),
      "/2": to(302, "/1"),
      "/1": to(302, "/here"),
      "/here": here,
    });
    await using host = calling();
    expect((await host.call({ url: `${server.url}/5` })).value).toEqual({ method: "GET", body: "" });
    expect((await host.call({ url: server.url })).error).toMatchObject({
      code: "UPSTREAM_ERROR",
      retryable: false,
    });
  });

  test("what may let the caller in stays at the origin that it was meant for", async () => {
    await using other = await upstream({ "/": here });
    await using server = await upstream({
      "/": to(307, () => `${other.url}/`),
      "/same": to(307, "/here"),
      "/here": here,
    });
    await using host = calling();
    const headers = { Authorization: "Bearer x", Cookie: "a=b", "X-Api-Key": "y", Accept: "text/*" };
    await host.call({ url: server.url, headers });
    await host.call({ url: `${server.url}/same`, headers });
    const [gone] = other.seen;
    expect(gone?.headers).toMatchObject({ accept: "text/*" });
    for (const name of ["authorization", "cookie", "x-api-key"])
      expect(gone?.headers).not.toHaveProperty(name);
    expect(server.seen.at(-1)?.headers).toMatchObject({
      authorization: "Bearer x",
      cookie: "a=b",
      "x-api-key": "y",
    });
  });

  test("to what isn't called here end there", async () => {
    await using server = await upstream({
      "/ftp": to(302, "ftp://example.org/"),
      "/file": to(302, "file:///etc/passwd"),
      "/nothing": to(302, "http://"),
      "/password": to(302, "http://a:b@127.0.0.1/"),
      "/private": to(302, "http://10.1.2.3/"),
    });
    await using host = calling();
    for (const path of ["/ftp", "/file", "/nothing", "/password", "/private"]) {
      const { error } = await host.call({ url: server.url + path });
      expect(error).toMatchObject({ code: "UPSTREAM_ERROR", retryable: false });
    }
  });
});
