import { connect, type Socket } from "node:net";
import type { NodeTypes } from "../../../compute/engine/index.ts";
import { readEnvironment, type Variables } from "../../../compute/hosts/environment.ts";
import { type NodeServer, startServer } from "../../../compute/hosts/node-server.ts";
import type { ErrorInfo, ExecutionUpdate } from "../../../protocol/index.ts";

export interface Served extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly server: NodeServer;
  /** What the service wrote for its operator. */
  readonly errors: unknown[];
}

/** The service on a free port of this machine, drained and closed by `await using`. */
export async function serve(variables: Variables = {}, types?: NodeTypes, poolModule?: URL): Promise<Served> {
  const errors: unknown[] = [];
  const environment = readEnvironment({ PORT: "0", NODEFLOW_GRACE_MS: "0", ...variables });
  const server = await startServer(environment, {
    logger: { info() {}, error: (message, cause) => errors.push([message, cause]) },
    ...(types && { types }),
    ...(poolModule && { poolModule }),
  });
  return {
    url: server.url,
    port: Number(new URL(server.url).port),
    server,
    errors,
    [Symbol.asyncDispose]: () => server.close(),
  };
}

export function post(url: string, body: unknown, headers: Record<string, string> = {}, signal?: AbortSignal) {
  return fetch(`${url}/execute`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/x-ndjson", ...headers },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });
}

/** Updates of an NDJSON answer as they come, heartbeats left out. */
export async function* updatesOf(response: Response): AsyncGenerator<ExecutionUpdate, void, void> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) if (line.length > 0) yield JSON.parse(line) as ExecutionUpdate;
  }
}

export async function allOf(response: Response): Promise<ExecutionUpdate[]> {
  const updates: ExecutionUpdate[] = [];
  for await (const update of updatesOf(response)) updates.push(update);
  return updates;
}

export interface ErrorAnswer {
  readonly error: ErrorInfo & { readonly traceId?: string; readonly executionId?: string };
}

export async function errorOf(response: Response): Promise<ErrorAnswer["error"]> {
  return ((await response.json()) as ErrorAnswer).error;
}

/** Sends bytes as they are and gives what comes back until the server closes, or `until` matches. */
export function raw(port: number, bytes: string | Uint8Array, until?: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    let answer = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      answer += chunk;
      if (until?.test(answer)) socket.destroy();
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(answer));
  });
}

/** One node that takes `ms`. */
export const waiting = (ms: number) => ({
  nodes: [
    { id: "given", type: "constant", data: { value: 1 } },
    { id: "wait", type: "delay", data: { ms } },
  ],
  edges: [{ source: "given", target: "wait" }],
});

export const ENDLESS = {
  nodes: [{ id: "numbers", type: "range", data: { to: 1e15 } }],
  edges: [],
};
