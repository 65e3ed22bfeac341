import { describe, expect, it } from "vitest";
import type { Engine, Execution, PrepareOptions, StartOptions } from "../../../compute/engine/index.ts";
import { anyone, createService, type Grant, type ServiceConfig } from "../../../compute/service/index.ts";
import {
  DEFAULT_LIMITS,
  type ExecuteRequest,
  invalidWorkflow,
  NodeflowError,
} from "../../../protocol/index.ts";
import { completed, output, ScriptedExecution } from "./scripted-execution.ts";
import { StillClock } from "./still-clock.ts";

interface Script {
  /** What preparing does instead of succeeding. */
  prepare?: (options: PrepareOptions) => void | Promise<void>;
  begin?: () => Execution;
}

function open(script: Script = {}, options: Partial<ServiceConfig> = {}) {
  const clock = new StillClock();
  const logged: unknown[][] = [];
  const seen = {
    requests: [] as ExecuteRequest[],
    prepared: [] as PrepareOptions[],
    started: [] as StartOptions[],
  };
  const engine: Engine = {
    config: {
      runtime: "node",
      types: new Map(),
      runner: { start: () => ({ executor: { kind: "local" }, emissions: [] }) },
      clock,
      random: (bytes) => new Uint8Array(bytes),
      limits: { ...DEFAULT_LIMITS, maxBodyBytes: 500 },
    },
    async prepare(request, given = {}) {
      seen.requests.push(request);
      seen.prepared.push(given);
      await script.prepare?.(given);
      const begin = script.begin ?? (() => ended());
      return {
        executionId: "run-1",
        start(started = {}) {
          seen.started.push(started);
          return begin();
        },
      };
    },
    validate: async () => ({ valid: true, issues: [], notes: [] }),
  };
  const service = createService({
    engine,
    version: "1.2.3",
    logger: { info() {}, error: (...line) => logged.push(line) },
    authorize: anyone,
    loopbackOnly: false,
    origins: [],
    cancellable: true,
    notes: [],
    heartbeatMs: 15_000,
    writeDeadlineMs: 30_000,
    ...options,
  });
  const post = (init: RequestInit = {}) =>
    service.app.request("/execute", {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/x-ndjson" },
      body: '{"nodes":[]}',
      ...init,
    });
  return { service, post, logged, seen, clock };
}

function ended(): ScriptedExecution {
  const execution = new ScriptedExecution();
  execution.give(output(1, "x"), completed(2));
  execution.end();
  return execution;
}

describe("a fault of ours", () => {
  const secret = "detail that callers must not see";

  it("before the stream is 500, told to the operator once and to the caller not at all", async () => {
    const { post, logged, service } = open({
      prepare() {
        throw new Error(secret);
      },
    });
    const response = await post();
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(JSON.parse(text)).toEqual({
      error: { code: "INTERNAL", message: expect.any(String), retryable: false },
    });
    expect(text).not.toContain(secret);
    expect(logged).toHaveLength(1);
    expect(String(logged[0]?.[1])).toContain(secret);
    expect(service.runs.active).toBe(0);
  });

  it("that isn't even an Error is treated alike", async () => {
    const { post, logged, service } = open({
      prepare() {
        throw secret as unknown as Error;
      },
    });
    const response = await post();
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain(secret);
    expect(logged).toHaveLength(1);
    expect(service.runs.active).toBe(0);
  });

  it("when the run begins frees its place", async () => {
    const { post, service } = open({
      begin() {
        throw new Error(secret);
      },
    });
    expect((await post()).status).toBe(500);
    expect(service.runs.active).toBe(0);
  });

  it("within the stream breaks it off without a terminal update, told to the operator once", async () => {
    const execution = new ScriptedExecution();
    execution.give(output(1, "x"));
    execution.break(new Error(secret));
    const { post, logged, service } = open({ begin: () => execution });
    const response = await post();
    expect(response.status).toBe(200);
    const error: unknown = await response.text().catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).not.toContain(secret);
    expect(logged).toHaveLength(1);
    await expect.poll(() => service.runs.active).toBe(0);
  });

  it("that is the caller's after all keeps its code", async () => {
    const { post, logged } = open({
      prepare() {
        throw invalidWorkflow([{ code: "CYCLE_DETECTED", message: "a cycle", path: "/workflow/edges/0" }]);
      },
    });
    const response = await post();
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({
      error: { code: "INVALID_WORKFLOW", details: [{ code: "CYCLE_DETECTED" }] },
    });
    expect(logged).toEqual([]);
  });
});

describe("a caller", () => {
  const grant: Grant = {
    principal: "ada",
    nodeTypes: ["constant"],
    limits: { maxBodyBytes: 50, maxNodes: 3 },
  };

  it("who may not is told 403, and one who isn't known 401", async () => {
    const forbidden = await open({}, { authorize: () => 403 }).post();
    expect(forbidden.status).toBe(403);
    expect(await forbidden.json()).toMatchObject({ error: { code: "FORBIDDEN" } });
    const unknown = await open({}, { authorize: async () => 401 as const }).post();
    expect(unknown.status).toBe(401);
    expect(unknown.headers.get("www-authenticate")).toContain("Bearer");
  });

  it("is known to the engine by what it may do", async () => {
    const { post, seen } = open({}, { authorize: () => grant });
    await (await post()).text();
    expect(seen.prepared[0]).toMatchObject({ nodeTypes: ["constant"], limits: { maxNodes: 3 } });
  });

  it("has the lower of its own caps and the host's", async () => {
    const { post, service } = open({}, { authorize: () => grant });
    expect((await post({ body: `{"nodes":[],"x":"${"x".repeat(50)}"}` })).status).toBe(413);
    const greedy = open({}, { authorize: () => ({ ...grant, limits: { maxBodyBytes: 1e9 } }) });
    expect((await greedy.post({ body: `{"nodes":[],"x":"${"x".repeat(600)}"}` })).status).toBe(413);
    const capabilities = await (await service.app.request("/capabilities")).json();
    expect(capabilities).toMatchObject({ maxBodyBytes: 50, maxNodes: 3, limits: { maxEdges: 250_000 } });
  });

  it("whose connection is gone before its run begins has none", async () => {
    const leaving = new AbortController();
    const execution = new ScriptedExecution();
    const { post, logged, service } = open({ prepare: () => leaving.abort("gone"), begin: () => execution });
    const response = await post({ signal: leaving.signal });
    await response.body?.cancel();
    expect(execution.cancelled[0]).toBe("disconnect");
    await expect.poll(() => service.runs.active).toBe(0);
    expect(logged).toEqual([]);
  });

  it("whose connection goes while planning leaves no trace in the log", async () => {
    const leaving = new AbortController();
    const { post, logged, service } = open({
      prepare({ signal }) {
        leaving.abort("gone");
        signal?.throwIfAborted();
      },
    });
    await post({ signal: leaving.signal });
    expect(logged).toEqual([]);
    expect(service.runs.active).toBe(0);
  });
});

describe("draining", () => {
  it("also refuses the run that was being planned when it began", async () => {
    const opened = open({ prepare: () => void opened.service.drain(0) });
    const response = await opened.post();
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: { code: "DRAINING", retryable: true } });
    expect(opened.seen.started).toEqual([]);
    expect(opened.service.runs.active).toBe(0);
  });
});

describe("a trace", () => {
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const headers = {
    "content-type": "application/json",
    traceparent: `00-${traceId}-b7ad6b7169203331-01`,
  };

  it("is passed on to the run, and stands in errors", async () => {
    const { post, seen } = open();
    await (await post({ headers })).text();
    expect(seen.started[0]).toMatchObject({ traceId });
    const refused = open({
      prepare() {
        throw new NodeflowError("INVALID_REQUEST", "no");
      },
    });
    expect(await (await refused.post({ headers })).json()).toMatchObject({ error: { traceId } });
  });

  it("that isn't valid is left out", async () => {
    const { post, seen } = open();
    await (await post({ headers: { ...headers, traceparent: "00-nonsense" } })).text();
    expect(seen.started[0]).not.toHaveProperty("traceId");
  });
});

describe("what a host may count", () => {
  it("is every answer by its route, and every run by how it ended", async () => {
    const counted: unknown[] = [];
    const { post, service } = open(
      {},
      {
        observer: {
          requestAnswered: (route, status) => counted.push(["answer", route, status]),
          executionStarted: () => counted.push(["started"]),
          executionEnded: (status) => counted.push(["ended", status]),
          render: async () => ({ contentType: "text/plain; version=0.0.4", text: "runs 1\n" }),
        },
      },
    );
    await (await post()).text();
    await service.app.request("/executions/some-id", { method: "DELETE" });
    expect(counted).toEqual([
      ["started"],
      ["answer", "/execute", 200],
      ["ended", "completed"],
      ["answer", "/executions/:id", 404],
    ]);
    const metrics = await service.app.request("/metrics");
    expect(await metrics.text()).toBe("runs 1\n");
  });
});
