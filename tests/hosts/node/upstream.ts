import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** Somebody else's server, as nodes call it. */
export interface Upstream extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** What was asked, in order. */
  readonly seen: Seen[];
  /** Connections accepted so far. */
  readonly connections: () => number;
  /** Requests under way: now, and the most at once. */
  readonly open: () => number;
  readonly most: () => number;
}

export type Answer = (
  response: ServerResponse,
  request: Seen & { readonly raw: IncomingMessage },
) => void | Promise<void>;

/** Answers what each path says. Without an answer it is 404. */
export async function upstream(
  answers: Readonly<Record<string, Answer>> = {},
  { host = "127.0.0.1", port: wanted = 0 }: { readonly host?: string; readonly port?: number } = {},
): Promise<Upstream> {
  const seen: Seen[] = [];
  let connections = 0;
  let open = 0;
  let most = 0;
  const server: Server = createServer(async (raw, response) => {
    open += 1;
    most = Math.max(most, open);
    response.once("close", () => {
      open -= 1;
    });
    const chunks: Buffer[] = [];
    for await (const chunk of raw) chunks.push(chunk);
    const { method = "", url = "", headers } = raw;
    const path = url.split("?")[0] ?? "";
    const asked = { method, path: url, headers, body: Buffer.concat(chunks).toString() };
    seen.push(asked);
    const answer =
      answers[path] ?? ((unknown: ServerResponse) => void unknown.writeHead(404).end("nothing here"));
    await answer(response, { ...asked, raw });
  });
  server.on("connection", () => {
    connections += 1;
  });
  server.listen(wanted, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    port,
    seen,
    connections: () => connections,
    open: () => open,
    most: () => most,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
