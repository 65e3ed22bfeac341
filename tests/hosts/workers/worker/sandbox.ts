import { webClock } from "../../../../compute/hosts/web.ts";
import { createWorkersSandbox } from "../../../../compute/sandbox/workers/sandbox.ts";
import { serveSandbox } from "../../../support/remote-sandbox.ts";

/** The platform's own. */
declare const WebSocketPair: new () => { readonly 0: WebSocket; readonly 1: WebSocket & { accept(): void } };

/** The sandbox of Workers behind a WebSocket. Anything else is answered at once, if the isolate can answer at all. */
export default {
  fetch(request: Request): Response {
    if (request.headers.get("upgrade") !== "websocket") return new Response("here");
    const { 0: client, 1: server } = new WebSocketPair();
    server.accept();
    serveSandbox(createWorkersSandbox({ turn: webClock().turn }), {
      send: (text) => server.send(text),
      listen: (listener) => server.addEventListener("message", ({ data }) => listener(String(data))),
    });
    return new Response(null, { status: 101, webSocket: client } as ResponseInit);
  },
};
