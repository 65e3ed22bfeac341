import type { Clock, Fetch } from "../../../compute/client/index.ts";
import {
  type Checkpoint,
  type ExecuteRequest,
  type ExecutionUpdate,
  encodeSse,
  finish,
  parseRequest,
  type Workflow,
} from "../../../protocol/index.ts";

type Body<T> = T extends ExecutionUpdate ? Omit<T, "seq" | "timestamp"> : never;
/** An update without what numbering adds. */
export type Line = Body<ExecutionUpdate>;

const METRICS = {
  durationMs: 5,
  nodes: { completed: 0, failed: 0, skipped: 0, reused: 0 },
  retries: 0,
  emissions: 0,
  bytes: 0,
  calls: 0,
};

export const started = (
  nodeId: string,
  extra: Partial<Extract<Line, { type: "node-started" }>> = {},
): Line => ({
  type: "node-started",
  nodeId,
  attempt: 1,
  executor: { kind: "local" },
  ...extra,
});
export const output = (
  nodeId: string,
  value: Extract<ExecutionUpdate, { type: "node-output" }>["value"],
  mode: "set" | "append" | "item" = "set",
  attempt = 1,
): Line => ({ type: "node-output", nodeId, attempt, handle: "out", mode, value });
export const completed = (nodeId: string, attempt = 1): Line => ({
  type: "node-completed",
  nodeId,
  attempt,
  durationMs: 1,
});
export const reset = (nodeId: string, attempt: number): Line => ({ type: "node-reset", nodeId, attempt });
export const done = (outputs: Extract<Line, { type: "execution-completed" }>["outputs"]): Line => ({
  type: "execution-completed",
  outputs,
  metrics: METRICS,
});
export const cancelled = (reason: "client" | "disconnect" | "shutdown"): Line => ({
  type: "execution-cancelled",
  reason,
  metrics: METRICS,
});
export const suspended = (pending: string[]): Line => ({
  type: "execution-suspended",
  pending,
  metrics: METRICS,
});
export const asked = (
  nodeId: string,
  extra: Partial<Extract<Line, { type: "input-requested" }>> = {},
): Line => ({
  type: "input-requested",
  nodeId,
  request: `question of ${nodeId}`,
  tool: "approve",
  args: { amount: 12 },
  ...extra,
});

let ids = 0;

/** The updates of one executor: begun, numbered. */
export function stream(lines: readonly Line[], checkpoint?: Checkpoint): ExecutionUpdate[] {
  ids += 1;
  const begun: Line = {
    type: "execution-started",
    executionId: `execution-${ids}`,
    runId: checkpoint?.runId ?? `execution-${ids}`,
    seed: "seed",
    protocol: 1,
    runtime: "node",
    nodes: 3,
    edges: 2,
    reused: Object.keys(checkpoint?.nodes ?? {}).length,
  };
  return [begun, ...lines].map(
    (line, i) => ({ ...line, seq: i + 1, timestamp: 1_000 + i }) as ExecutionUpdate,
  );
}

export const sse = (updates: readonly ExecutionUpdate[]): Uint8Array =>
  new TextEncoder().encode(updates.map(encodeSse).join(""));

/**
 * What an executor that is given a checkpoint makes of a script: what is completed there is reused, everything else is
 * done again.
 */
export function takenUp(script: readonly Line[], checkpoint: Checkpoint | undefined): Line[] {
  const isDone = (path: string) => checkpoint?.nodes[path]?.status === "completed";
  const topmostDone = (path: string): string | undefined => {
    const segments = path.split("/");
    const prefixes = segments.map((_, i) => segments.slice(0, i + 1).join("/"));
    return prefixes.find(isDone);
  };
  const told = new Set<string>();
  return script.flatMap((line): Line[] => {
    if (!("nodeId" in line)) return [line];
    const top = topmostDone(line.nodeId);
    if (top === undefined) return [line];
    if (told.has(top)) return [];
    told.add(top);
    return [{ type: "node-reused", nodeId: top }];
  });
}

/** Waits take no time; silence never gets long enough to be noticed. */
export const instant: Clock = {
  now: () => 1_000,
  after(ms, callback) {
    if (ms >= 60_000) return () => undefined;
    const timer = setImmediate(callback);
    return () => clearImmediate(timer);
  },
};

/** One answer of a scripted service. */
export type Reply = (request: ExecuteRequest, signal: AbortSignal) => Response | Promise<Response>;

export interface Scripted {
  readonly fetch: Fetch;
  readonly requests: ExecuteRequest[];
  readonly headers: Headers[];
  readonly deleted: string[];
}

/** A service that answers each POST /execute with the next reply; the last one is repeated. */
export function scripted(...replies: Reply[]): Scripted {
  const requests: ExecuteRequest[] = [];
  const headers: Headers[] = [];
  const deleted: string[] = [];
  const fetch: Fetch = async (url, init) => {
    if (init.method === "DELETE") {
      deleted.push(url);
      return new Response(null, { status: 202 });
    }
    const request = finish(parseRequest(JSON.parse(String(init.body))));
    requests.push(request);
    headers.push(new Headers(init.headers));
    const reply = replies[Math.min(requests.length, replies.length) - 1];
    if (!reply || !init.signal) throw new Error("no reply in the script");
    return reply(request, init.signal);
  };
  return { fetch, requests, headers, deleted };
}

export const EVENT_STREAM = { "content-type": "text/event-stream" };

/** Answers with bytes; afterwards the connection ends, breaks, or stays open. */
export function bytes(
  content: Uint8Array,
  then: "end" | "break" | "hang" = "end",
  piece = content.length || 1,
): Reply {
  return (_request, signal) => {
    let at = 0;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        signal.addEventListener("abort", () => {
          try {
            controller.error(signal.reason);
          } catch {
            // Ended already.
          }
        });
      },
      pull(controller) {
        if (at < content.length) {
          controller.enqueue(content.slice(at, at + piece));
          at += piece;
        } else if (then === "end") controller.close();
        else if (then === "break") controller.error(new TypeError("terminated"));
        else return new Promise(() => undefined);
      },
    });
    return new Response(body, { headers: EVENT_STREAM });
  };
}

export const refuses = (status: number, code: string, headers: Record<string, string> = {}): Reply => {
  const retryable = status === 429 || status === 503;
  return () =>
    new Response(JSON.stringify({ error: { code, message: `It is ${code}`, retryable } }), {
      status,
      headers,
    });
};

/** Answers a request by taking the script up where its checkpoint is. */
export const follows =
  (script: readonly Line[]): Reply =>
  (request, signal) =>
    bytes(sse(stream(takenUp(script, request.checkpoint), request.checkpoint)))(request, signal);

/** A workflow whose nodes these scripts tell of. */
export const workflow: Workflow = {
  nodes: [
    { id: "a", type: "constant", data: { value: 1 } },
    {
      id: "m",
      type: "map",
      data: {
        workflow: {
          nodes: [
            { id: "i", type: "input", data: { name: "item" } },
            { id: "x", type: "transform", data: { expression: "$" } },
            { id: "o", type: "output", data: { name: "o" } },
          ],
          edges: [
            { source: "i", target: "x" },
            { source: "x", target: "o" },
          ],
        },
      },
    },
    { id: "t", type: "template", data: { text: "{{in}}" } },
    { id: "r", type: "output", data: { name: "r" } },
  ],
  edges: [
    { source: "a", target: "m" },
    { source: "m", target: "t" },
    { source: "t", target: "r" },
  ],
};

const scope = (i: number): Line[] => [
  started(`m/${i}`, { item: `item-${i}` }),
  started(`m/${i}/i`),
  output(`m/${i}/i`, i),
  completed(`m/${i}/i`),
  started(`m/${i}/x`),
  output(`m/${i}/x`, i * 10),
  completed(`m/${i}/x`),
  started(`m/${i}/o`),
  completed(`m/${i}/o`),
  completed(`m/${i}`),
  output("m", i * 10, "item"),
];

/** A whole run of `workflow`, with bytes that are more than one character's, and a retry. */
export const RUN: readonly Line[] = [
  started("a"),
  output("a", [0, 1, 2]),
  completed("a"),
  started("m"),
  ...scope(0),
  ...scope(1),
  ...scope(2),
  completed("m"),
  started("t"),
  output("t", "zu spät ", "append"),
  {
    type: "node-failed",
    nodeId: "t",
    attempt: 1,
    error: { code: "NODE_FAILED", message: "once", retryable: true, nodeId: "t", attempt: 1 },
    willRetry: true,
  },
  reset("t", 2),
  started("t", { attempt: 2 }),
  output("t", "grün ", "append", 2),
  output("t", "🌲", "append", 2),
  completed("t", 2),
  started("r"),
  completed("r"),
  done({ r: "grün 🌲" }),
];
