import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, describe } from "vitest";
import { NodeSink } from "../../../compute/hosts/node-sink.ts";
import { sinkContract } from "../../contract/sink.ts";

describe("the sink that is Node's own answer", () => {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  sinkContract(async () => {
    if (!server.listening) await once(server, "listening");
    const leaving = new AbortController();
    const { port } = server.address() as AddressInfo;
    const asked = once(server, "request");
    const answered = fetch(`http://127.0.0.1:${port}`, { signal: leaving.signal });
    const [, outgoing] = (await asked) as [unknown, ServerResponse];
    const sink = new NodeSink(outgoing);
    sink.open(new Response(null, { headers: { "content-type": "text/plain" } }));
    const reader = answered.then(({ body }) => body?.getReader());
    return {
      sink,
      read: async () => (await (await reader)?.read())?.value ?? null,
      leave: () => leaving.abort(),
    };
  });
});
