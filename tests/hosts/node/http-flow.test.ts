import { once } from "node:events";
import { describe, expect, test } from "vitest";
import type { ExecutionUpdate } from "../../../protocol/index.ts";
import { calling, OWN_MACHINE } from "./calling.ts";
import { post, serve, updatesOf } from "./service-harness.ts";
import { type Answer, upstream } from "./upstream.ts";

const one = (data: object, policy: object = {}) => ({
  workflow: { nodes: [{ id: "call", type: "http", data, policy }], edges: [] },
});

/** An answer that never comes, or never ends; tells when its connection is closed. */
function lasting(begin: Answer) {
  const closed = Promise.withResolvers<number>();
  const begun = Promise.withResolvers<void>();
  const answer: Answer = (response, request) => {
    response.once("close", () => closed.resolve(performance.now()));
    begun.resolve();
    return begin(response, request);
  };
  return { answer, begun: begun.promise, closed: closed.promise };
}

const silent: Answer = () => undefined;
const dripping: Answer = (response) => {
  const writing = setInterval(() => response.write("more\n"), 5);
  response.once("close", () => clearInterval(writing));
};

describe("when nobody wants the answer any more, its server sees that within 100 ms", () => {
  test.each([
    ["before its headers", silent],
    ["while it streams", dripping],
  ])("%s: the client of a service has gone", async (_, begin) => {
    const upon = lasting(begin);
    await using server = await upstream({ "/": upon.answer });
    await using service = await serve(OWN_MACHINE);
    const leaving = new AbortController();
    const response = await post(service.url, one({ url: server.url, read: "lines" }), {}, leaving.signal);
    const reading = (async () => {
      for await (const _update of updatesOf(response));
    })().catch(() => undefined);
    await upon.begun;
    const left = performance.now();
    leaving.abort();
    expect((await upon.closed) - left).toBeLessThan(100);
    await reading;
  });

  test.each([
    ["its own timeout", { timeoutMs: 100 }, silent],
    ["its idle timeout", { idleTimeoutMs: 100 }, silent],
  ])("%s has passed", async (_, policy, begin) => {
    const upon = lasting(begin);
    await using server = await upstream({ "/": upon.answer });
    await using host = calling();
    const called = await host.call({ url: server.url, read: "text" }, { policy });
    const failed = performance.now();
    expect(called.error?.code).toBe("NODE_TIMEOUT");
    expect((await upon.closed) - failed).toBeLessThan(100);
  });

  test("another node has failed", async () => {
    const upon = lasting(dripping);
    await using server = await upstream({ "/": upon.answer });
    await using host = calling();
    const nodes = [
      { id: "call", type: "http", data: { url: server.url, read: "lines" } },
      { id: "wait", type: "delay", data: { ms: 100 } },
      { id: "one", type: "constant", data: { value: 1 } },
      { id: "fail", type: "transform", data: { expression: '$error("no")' } },
    ];
    const edges = [
      { source: "one", target: "wait" },
      { source: "wait", target: "fail" },
    ];
    const updates = await host.run({ workflow: { nodes, edges } });
    const failed = performance.now();
    expect(updates.at(-1)?.type).toBe("execution-failed");
    expect((await upon.closed) - failed).toBeLessThan(100);
  });
});

test("a slow reader slows the server, and little is kept on the way", async () => {
  const chunk = "x".repeat(64 * 1024 - 1);
  let written = 0;
  await using server = await upstream({
    "/": async (response) => {
      const closed = once(response, "close");
      for (let count = 0; count < 4_096 && !response.destroyed; count++) {
        written += chunk.length + 1;
        if (response.write(`${chunk}\n`)) continue;
        const drained = new AbortController();
        await Promise.race([once(response, "drain", drained), closed]);
        drained.abort();
      }
      response.end();
    },
  });
  await using host = calling({ ...OWN_MACHINE, NODEFLOW_MAX_RESPONSE_BYTES: String(1024 ** 3) });
  const prepared = await host.engine.prepare(one({ url: server.url, read: "lines" }) as never);
  const updates = prepared.start()[Symbol.asyncIterator]();
  for (;;) {
    const { value } = (await updates.next()) as { value: ExecutionUpdate };
    if (value.type === "node-output") break;
  }
  // Nobody reads now. The server gets as far as buffers reach, and no further.
  let before = -1;
  await expect
    .poll(
      () => {
        const still = written === before;
        before = written;
        return still;
      },
      { interval: 300, timeout: 20_000 },
    )
    .toBe(true);
  expect(written).toBeLessThan(32 * 1024 * 1024);
  await updates.return?.();
});

describe("calls of all runs together", () => {
  const slow: Answer = (response) => void setTimeout(() => response.end("1"), 30);
  const many = (url: string, count: number) => ({
    workflow: {
      nodes: Array.from({ length: count }, (_, at) => ({ id: `call-${at}`, type: "http", data: { url } })),
      edges: [],
    },
  });

  test("go to one origin only so many at once", async () => {
    await using server = await upstream({ "/": slow });
    await using host = calling({ ...OWN_MACHINE, NODEFLOW_CALLS_AT_ONCE: "3" });
    const runs = await Promise.all([host.run(many(server.url, 10)), host.run(many(server.url, 10))]);
    for (const updates of runs) expect(updates.at(-1)?.type).toBe("execution-completed");
    expect(server.seen).toHaveLength(20);
    expect(server.most()).toBe(3);
  });

  test("of one run are counted, redirects too", async () => {
    await using server = await upstream({
      "/": (response) => void response.writeHead(302, { location: "/there" }).end(),
      "/there": slow,
    });
    await using host = calling({ ...OWN_MACHINE, NODEFLOW_MAX_CALLS: "5" });
    const updates = await host.run(many(server.url, 10));
    expect(updates.at(-1)).toMatchObject({ error: { code: "RESOURCE_EXHAUSTED" } });
    expect(server.seen.length).toBeLessThanOrEqual(5);
  });

  test("leave nothing open that later ones would wait for", async () => {
    await using server = await upstream({
      "/": slow,
      "/error": (response) => void response.writeHead(500).end("x".repeat(1_000_000)),
      "/cut": (response) => {
        response.write("x");
        setImmediate(() => response.destroy());
      },
      "/not-json": (response) => void response.end("{".repeat(100_000)),
      "/endless": dripping,
    });
    await using host = calling({ ...OWN_MACHINE, NODEFLOW_CALLS_AT_ONCE: "1", NODEFLOW_CALLS_BURST: "1000" });
    for (let round = 0; round < 5; round++) {
      await host.call({ url: `${server.url}/error` });
      await host.call({ url: `${server.url}/cut` });
      await host.call({ url: `${server.url}/not-json` });
      await host.call({ url: `${server.url}/endless`, read: "text" }, { policy: { timeoutMs: 20 } });
      expect((await host.call({ url: server.url })).value).toBe(1);
    }
  });
});
