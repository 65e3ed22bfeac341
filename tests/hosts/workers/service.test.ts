import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Capabilities, type ExecutionUpdate, Health, isTerminal } from "../../../protocol/index.ts";
import { allOf, errorOf, post, updatesOf, waiting } from "../node/service-harness.ts";
import { startWorkerd, type Workerd } from "./workerd.ts";

describe("the service on workerd", () => {
  let workerd: Workerd;
  beforeAll(async () => {
    workerd = await startWorkerd({ NODEFLOW_HEARTBEAT_MS: "200", NODEFLOW_WRITE_DEADLINE_MS: "1000" });
  });
  afterAll(() => workerd?.[Symbol.asyncDispose]());
  const active = async () =>
    Health.parse(await (await fetch(`${workerd.url}/health`)).json()).executions.active;

  it("streams the first update before the last node has begun", async () => {
    const started = performance.now();
    const updates = updatesOf(await post(workerd.url, waiting(1_500)));
    const first = (await updates.next()).value as ExecutionUpdate;
    expect(first).toMatchObject({ type: "execution-started", runtime: "workers" });
    expect(performance.now() - started).toBeLessThan(1_400);
    const rest: ExecutionUpdate[] = [];
    for await (const update of updates) rest.push(update);
    expect(rest.filter(isTerminal).map(({ type }) => type)).toEqual(["execution-completed"]);
    expect(performance.now() - started).toBeGreaterThan(1_400);
  });

  it.each([
    ["text/event-stream", /^id: 1\nevent: execution-started\ndata: \{/],
    ["application/x-ndjson", /^\{"type":"execution-started"/],
    ["application/json", /^ *\{"executionId":"[^"]+","status":"completed"/],
  ])("speaks %s", async (accept, pattern) => {
    const response = await post(workerd.url, waiting(1), { accept });
    expect(response.headers.get("content-type")).toBe(accept);
    expect(response.headers.get("x-execution-id")).toMatch(/^\S{16,}$/);
    expect(await response.text()).toMatch(pattern);
  });

  it("runs what computes for long, and what runs in parallel", async () => {
    const map = {
      nodes: [
        { id: "rows", type: "range", data: { from: 1, to: 2_000 } },
        {
          id: "each",
          type: "map",
          data: {
            workflow: {
              nodes: [
                { id: "item", type: "input", data: { name: "item" } },
                { id: "square", type: "transform", data: { expression: "$ * $" } },
                { id: "result", type: "output", data: { name: "square" } },
              ],
              edges: [
                { source: "item", target: "square" },
                { source: "square", target: "result" },
              ],
            },
          },
        },
        { id: "sum", type: "transform", data: { expression: "$sum($)" } },
        { id: "out", type: "output", data: { name: "sum" } },
      ],
      edges: [
        { source: "rows", target: "each" },
        { source: "each", target: "sum" },
        { source: "sum", target: "out" },
      ],
    };
    const body = { workflow: map, options: { outputs: "leaves" } };
    const runs = await Promise.all([1, 2, 3].map(async () => allOf(await post(workerd.url, body))));
    for (const updates of runs) {
      expect(updates.at(-1)).toMatchObject({ type: "execution-completed", outputs: { sum: 2_668_667_000 } });
    }
  });

  it("stops the run of a client that has gone", async () => {
    const leaving = new AbortController();
    const response = await post(workerd.url, waiting(60_000), {}, leaving.signal);
    await updatesOf(response).next();
    await expect.poll(active).toBe(1);
    leaving.abort();
    await expect.poll(active, { timeout: 5_000 }).toBe(0);
  });

  it("has no DELETE, and says what to do instead", async () => {
    const leaving = new AbortController();
    const response = await post(workerd.url, waiting(60_000), {}, leaving.signal);
    const id = response.headers.get("x-execution-id");
    const refused = await fetch(`${workerd.url}/executions/${id}`, { method: "DELETE" });
    expect(refused.status).toBe(404);
    expect(await errorOf(refused)).toMatchObject({
      code: "NOT_FOUND",
      message: expect.stringMatching(/closing/),
    });
    leaving.abort();
    await expect.poll(active, { timeout: 5_000 }).toBe(0);
  });

  it("tells what this host can't promise", async () => {
    const capabilities = Capabilities.parse(await (await fetch(`${workerd.url}/capabilities`)).json());
    expect(capabilities).toMatchObject({
      runtime: "workers",
      limits: { notes: expect.stringContaining("per isolate") },
    });
    expect(capabilities.features).not.toContain("cancel");
    expect((await fetch(`${workerd.url}/metrics`)).status).toBe(404);
  });

  it("refuses foreign names and origins, since it has no tokens", async () => {
    const foreign = await fetch(`${workerd.url}/health`, { headers: { origin: "https://evil.example" } });
    expect(foreign.status).toBe(403);
  });

  it("answers what is bad before it streams", async () => {
    for (const [body, type, status] of [
      ["{", "application/json", 400],
      ["[".repeat(100_000), "application/json", 400],
      ['{"nodes":[{"id":"a","type":"nothing"}]}', "application/json", 422],
      ['{"nodes":[]}', "text/plain", 415],
    ] as const) {
      const response = await fetch(`${workerd.url}/execute`, {
        method: "POST",
        headers: { "content-type": type },
        body,
      });
      expect(response.status).toBe(status);
      expect((await errorOf(response)).code).toMatch(/^[A-Z_]+$/);
    }
  });

  it("wrote no error", () => {
    expect(workerd.log()).not.toMatch(/broke off|failed|Uncaught/);
  });
});
