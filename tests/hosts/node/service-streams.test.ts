import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { NodeType } from "../../../compute/engine/index.ts";
import { builtinNodes, nodeTypes } from "../../../compute/nodes/index.ts";
import { allOf, ENDLESS, errorOf, post, raw, serve, updatesOf, waiting } from "./service-harness.ts";

/** A node that waits until its attempt is over, and tells when it was told. */
function watched() {
  const seen = { started: 0, aborted: 0, disposed: 0 };
  const type: NodeType = {
    type: "watched",
    description: "Waits until it is stopped",
    data: z.unknown(),
    cost: "trivial",
    strongest: "pure",
    handles: () => ({ inputs: {}, outputs: { out: "value" } }),
    effect: () => "pure",
    async *execute({ signal }) {
      seen.started += 1;
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      seen.aborted = performance.now();
      yield { value: null };
    },
    dispose() {
      seen.disposed += 1;
    },
  };
  return { seen, types: nodeTypes(builtinNodes, type) };
}

const WATCHED = { nodes: [{ id: "w", type: "watched" }], edges: [] };

/** A raw HTTP client that can stop reading. */
function rawPost(port: number, body: unknown) {
  const text = JSON.stringify(body);
  const socket = connect(port, "127.0.0.1");
  socket.write(
    `POST /execute HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n` +
      `Accept: application/x-ndjson\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
  return socket;
}

describe("a stream", () => {
  it("of a client that has gone stops its run and all in it within 50 ms", async () => {
    const { seen, types } = watched();
    await using served = await serve({}, types);
    const socket = rawPost(served.port, WATCHED);
    await expect.poll(() => seen.started, { interval: 1 }).toBe(1);
    const left = performance.now();
    socket.destroy();
    await expect.poll(() => served.server.service.runs.active, { interval: 1 }).toBe(0);
    expect(seen.aborted - left).toBeLessThan(50);
    expect(performance.now() - left).toBeLessThan(50);
    expect(seen.disposed).toBe(1);
    expect(served.errors).toEqual([]);
  });

  it("of a client that leaves while its body is read begins no run", async () => {
    const { seen, types } = watched();
    await using served = await serve({}, types);
    const socket = connect(served.port, "127.0.0.1");
    socket.write(
      "POST /execute HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
    );
    await expect.poll(() => served.server.service.runs.active, { interval: 1 }).toBe(1);
    socket.destroy();
    await expect.poll(() => served.server.service.runs.active, { interval: 1 }).toBe(0);
    expect(seen.started).toBe(0);
    expect(served.errors).toEqual([]);
  });

  it("of a client that accepts nothing is cut off at the deadline", async () => {
    await using served = await serve({ NODEFLOW_WRITE_DEADLINE_MS: "300" });
    const socket = rawPost(served.port, ENDLESS);
    socket.pause();
    await expect.poll(() => served.server.service.runs.active, { interval: 5 }).toBe(1);
    const began = performance.now();
    await expect.poll(() => served.server.service.runs.active, { interval: 5, timeout: 10_000 }).toBe(0);
    expect(performance.now() - began).toBeGreaterThan(250);
    const closed = new Promise((resolve) => socket.on("close", resolve));
    socket.on("error", () => {
      // The server has reset the connection, which is what this test wants.
    });
    socket.resume();
    await closed;
    expect(served.errors).toEqual([]);
  });

  it.each([
    ["text/event-stream", /^(:\n\n)+$/],
    ["application/x-ndjson", /^\n+$/],
    ["application/msgpack", /^\ufffd+$/],
    ["application/json", /^ +$/],
  ])("shows in silence that it is alive (%s)", async (accept, heartbeat) => {
    await using served = await serve({ NODEFLOW_HEARTBEAT_MS: "30" });
    const leaving = new AbortController();
    const response = await post(served.url, waiting(60_000), { accept }, leaving.signal);
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let silent = 0;
    while (silent < 3) {
      const { value, done } = await reader.read();
      expect(done).toBe(false);
      silent = heartbeat.test(value ?? "") ? silent + 1 : 0;
    }
    leaving.abort();
    await reader.cancel().catch(() => {
      // Aborted just now, by this test.
    });
  });

  it("in one JSON object is still JSON after heartbeats", async () => {
    await using served = await serve({ NODEFLOW_HEARTBEAT_MS: "20" });
    const response = await post(served.url, waiting(150), { accept: "application/json" });
    const text = await response.text();
    expect(text).toMatch(/^ {3,}\{/);
    expect(JSON.parse(text)).toMatchObject({ status: "completed" });
  });

  it("holds its run back while nobody reads", async () => {
    await using served = await serve();
    const response = await post(served.url, ENDLESS);
    const updates = updatesOf(response);
    await updates.next();
    const numbers = async (count: number) => {
      let last = 0;
      for (let i = 0; i < count; i++) {
        const { value } = await updates.next();
        if (value?.type === "node-output") last = Number(value.value);
      }
      return last;
    };
    expect(await numbers(1_000)).toBeLessThan(1_001);
    expect(await numbers(1_000)).toBeLessThan(2_001);
    await updates.return();
  });
});

describe("a body on the wire", () => {
  const head = (more: string) =>
    `POST /execute HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n${more}\r\n`;

  it("in chunks is read like any other", async () => {
    await using served = await serve();
    const body = JSON.stringify({ nodes: [{ id: "a", type: "constant", data: { value: 1 } }] });
    const chunks = [...body].map((char) => `1\r\n${char}\r\n`).join("");
    const answer = await raw(served.port, `${head("Transfer-Encoding: chunked\r\n")}${chunks}0\r\n\r\n`);
    expect(answer).toContain("execution-completed");
  });

  it("in chunks without end is refused where it becomes too large", async () => {
    await using served = await serve({ NODEFLOW_MAX_BODY_BYTES: "10000" });
    const chunk = `1000\r\n${" ".repeat(0x1000)}\r\n`;
    const answer = await raw(served.port, head("Transfer-Encoding: chunked\r\n") + chunk.repeat(8), /\}\}/);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('"code":"PAYLOAD_TOO_LARGE"');
  });

  it("that says it is larger than allowed is refused unread", async () => {
    await using served = await serve({ NODEFLOW_MAX_BODY_BYTES: "10000" });
    const answer = await raw(served.port, head("Content-Length: 10001\r\n"), /\}\}/);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  it("that is longer than it says is another request, and a bad one", async () => {
    await using served = await serve();
    const body = '{"nodes":[]}';
    const keep = head(`Content-Length: ${body.length}\r\n`).replace("Connection: close\r\n", "");
    const answer = await raw(served.port, `${keep}${body} and more of it\r\n\r\n`);
    expect(answer.match(/^HTTP\/1\.1 \d+/gm)?.at(-1)).toBe("HTTP/1.1 400");
  });

  it("that is shorter than it says, and ends there, begins no run", async () => {
    await using served = await serve();
    const socket = connect(served.port, "127.0.0.1");
    socket.end(`${head("Content-Length: 500\r\n")}{"nodes":[]}`);
    const answer = await new Promise<string>((resolve, reject) => {
      let text = "";
      socket.setEncoding("utf8");
      socket.on("data", (chunk: string) => {
        text += chunk;
      });
      socket.on("error", reject);
      socket.on("close", () => resolve(text));
    });
    expect(answer).not.toMatch(/^HTTP\/1\.1 (2|5)/);
    await expect.poll(() => served.server.service.runs.active).toBe(0);
    expect(served.errors).toEqual([]);
  });

  it("compressed is refused", async () => {
    await using served = await serve();
    const response = await post(served.url, {}, { "content-encoding": "gzip" });
    expect(response.status).toBe(415);
    expect(await errorOf(response)).toMatchObject({ code: "UNSUPPORTED_MEDIA_TYPE" });
  });
});

describe("shutting down", () => {
  it("refuses new runs, lets the others end, and then is gone", async () => {
    const served = await serve({ NODEFLOW_GRACE_MS: "5000" });
    const running = await post(served.url, waiting(300));
    const closing = served.server.close();
    const refused = await post(served.url, waiting(1));
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(await errorOf(refused)).toMatchObject({ code: "DRAINING", retryable: true });
    const health = await fetch(`${served.url}/health`);
    expect(health.status).toBe(503);
    expect(await health.json()).toMatchObject({ status: "draining" });
    expect((await allOf(running)).at(-1)).toMatchObject({ type: "execution-completed" });
    await closing;
    await expect(fetch(`${served.url}/health`)).rejects.toThrow();
  });
});
