import { createServer, type Server, STATUS_CODES } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { getRequestListener, type HttpBindings, RequestError } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { NodeflowError } from "../../protocol/index.ts";
import { createEngine, type NodeTypes } from "../engine/index.ts";
import { builtinNodes, nodeTypes } from "../nodes/index.ts";
import { createNodeSandbox, type NodeSandbox } from "../sandbox/node/sandbox.ts";
import {
  anyone,
  bearer,
  createService,
  isLoopbackAddress,
  type Logger,
  type Service,
} from "../service/index.ts";
import { AddressGuard } from "./address-guard.ts";
import { type Environment, EnvironmentError } from "./environment.ts";
import { prometheus } from "./node-metrics.ts";
import { nodeOutlet } from "./node-outlet.ts";
import { poolRunner } from "./node-pool.ts";
import { NodeSink } from "./node-sink.ts";
import { outgoingNodes } from "./outgoing-nodes.ts";
import { sandboxNodes } from "./sandbox-nodes.ts";
import { VERSION } from "./version.ts";
import { webClock, webRandom } from "./web.ts";

/** A client must have sent its headers and its body after so long. The answer may take as long as it likes. */
const HEADERS_TIMEOUT_MS = 20_000;
const REQUEST_TIMEOUT_MS = 60_000;
const KEEP_ALIVE_TIMEOUT_MS = 10_000;
/** What the last answers have, after draining, to leave the machine. */
const FLUSH_MS = 1_000;

export interface NodeServer {
  /** Where it listens, e.g. `http://127.0.0.1:8787`. */
  readonly url: string;
  readonly service: Service;
  /** Where programs of strangers run. Its processes are started when they are first needed, or by `warm()`. */
  readonly sandbox: NodeSandbox;
  /** Drains, then stops listening. Resolves when no connection is left. */
  close(): Promise<void>;
}

export interface NodeServerOptions {
  readonly logger: Logger;
  /** The built-in types if absent. */
  readonly types?: NodeTypes;
  /** Where the processes for heavy nodes find types that aren't built in. Without it those run in this thread. */
  readonly poolModule?: URL;
}

/** What the service is handed with a request, and where it leaves the sink of a stream that it answers with. */
interface Bindings extends HttpBindings {
  sink?: NodeSink;
}

/** Serves the compute service on Node. Rejects with an `EnvironmentError` where that wouldn't be safe. */
export async function startServer(environment: Environment, options: NodeServerOptions): Promise<NodeServer> {
  const open = environment.grants.size === 0;
  if (open && !isLoopbackAddress(environment.host)) {
    throw new EnvironmentError(
      `HOST ${environment.host} can be reached by others, so NODEFLOW_TOKENS must say who may call (NAME:TOKEN,…)`,
    );
  }
  const pool = poolRunner({
    ...environment.pool,
    ...(options.poolModule && { types: options.poolModule }),
  });
  const outlet = nodeOutlet(new AddressGuard(environment.outgoing));
  const { limits } = environment;
  const sandbox = createNodeSandbox({ logger: options.logger, maxValueBytes: limits.maxValueBytes });
  const service = createService({
    engine: createEngine({
      runtime: "node",
      types:
        options.types ??
        nodeTypes(builtinNodes, outgoingNodes(outlet, environment), sandboxNodes(sandbox, limits)),
      runner: pool,
      clock: webClock(),
      random: webRandom,
      limits,
    }),
    version: VERSION,
    logger: options.logger,
    authorize: open ? anyone : bearer(environment.grants),
    loopbackOnly: open,
    origins: environment.origins,
    secrets: environment.secrets,
    ...(environment.rate && { rate: environment.rate }),
    cancellable: true,
    get notes() {
      return ["Counts and rates are per process.", ...sandbox.notes];
    },
    heartbeatMs: environment.heartbeatMs,
    writeDeadlineMs: environment.writeDeadlineMs,
    observer: prometheus(),
    sink(bindings) {
      const sink = new NodeSink((bindings as Bindings).outgoing);
      (bindings as Bindings).sink = sink;
      return sink;
    },
  });

  const listener = getRequestListener(
    async (request, bindings) => {
      const response = await service.app.fetch(request, bindings);
      const { sink } = bindings as Bindings;
      if (!sink) return response;
      sink.open(response);
      return RESPONSE_ALREADY_SENT;
    },
    {
      errorHandler(cause) {
        if (cause instanceof RequestError) return answer(INVALID);
        options.logger.error("A request failed", cause);
        return answer(new NodeflowError("INTERNAL", "Something went wrong here"));
      },
    },
  );
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    },
    listener,
  );
  // Streams break their silence sooner. What is silent for longer is a client that never takes the end of its answer.
  server.setTimeout(2 * Math.max(environment.heartbeatMs, environment.writeDeadlineMs));
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => refuse(error, socket));
  await listen(server, environment);
  return {
    url: urlOf(server.address() as AddressInfo),
    service,
    sandbox,
    async close() {
      await service.drain(environment.graceMs);
      await stop(server);
      await Promise.all([outlet.close(), sandbox.close(), pool.close()]);
    },
  };
}

function listen(server: Server, { port, host }: Environment): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const impatience = setTimeout(() => server.closeAllConnections(), FLUSH_MS);
    server.close(() => {
      clearTimeout(impatience);
      resolve();
    });
    server.closeIdleConnections();
  });
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}

const INVALID = new NodeflowError("INVALID_REQUEST", "The request line or Host is malformed");
const envelope = (error: NodeflowError) => JSON.stringify({ error: error.toJSON() });

/** Answers what never reached the service. */
function answer(error: NodeflowError): Response {
  const headers = { "content-type": "application/json" };
  return new Response(envelope(error), { status: error.status, headers });
}

const CLIENT_ERRORS: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** For bytes that aren't HTTP, or come too slowly. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const status = CLIENT_ERRORS[error.code ?? ""] ?? 400;
  const body = envelope(new NodeflowError("INVALID_REQUEST", STATUS_CODES[status] ?? "Bad Request"));
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
