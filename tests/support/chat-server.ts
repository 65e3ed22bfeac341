import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

/** What a request asked for, as it came over the wire. */
export interface ChatRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: {
    readonly model: string;
    readonly stream: boolean;
    readonly messages: readonly { readonly role: string; readonly content: unknown }[];
    readonly [key: string]: unknown;
  };
}

/** A server that speaks OpenAI's chat completions, streamed. The name of the model says how it behaves. */
export interface ChatServer extends AsyncDisposable {
  /** To be given as `baseUrl`. */
  readonly url: string;
  readonly requests: readonly ChatRequest[];
  /** When the connection of the last request was closed by its client before its answer had ended, by `performance.now()`. */
  readonly left: Promise<number>;
}

const HEAD = { "content-type": "text/event-stream" };

function chunk(content: string | null, finish: string | null = null): string {
  const choices = [
    { index: 0, delta: content === null ? {} : { role: "assistant", content }, finish_reason: finish },
  ];
  return event({ id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "m", choices });
}

function event(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

const USAGE = event({
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  created: 1,
  model: "m",
  choices: [],
  usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
});

/** `nth` counts the requests of a server, from 1. */
type Behaviour = (response: ServerResponse, request: ChatRequest, nth: number) => void | Promise<void>;

/** The last message, in pieces of three characters. */
async function echo(response: ServerResponse, { body }: ChatRequest): Promise<void> {
  const last = String(body.messages.at(-1)?.content);
  response.writeHead(200, HEAD);
  for (let at = 0; at < last.length; at += 3) response.write(chunk(last.slice(at, at + 3)));
  response.end(`${chunk(null, "stop")}${USAGE}data: [DONE]\n\n`);
}

const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  echo,
  /** Bytes come one by one, so that no event and no character comes whole. */
  async drip(response) {
    response.writeHead(200, HEAD);
    const bytes = Buffer.from(
      `${chunk("häß")}: a comment\r\n\r\n${chunk("lich 🙂")}${chunk(null, "stop")}data: [DONE]\n\n`,
    );
    for (const byte of bytes) {
      response.write(Uint8Array.of(byte));
      await pause(0);
    }
    response.end();
  },
  cut(response) {
    response.writeHead(200, HEAD);
    response.write(chunk("half of "), () => response.destroy());
  },
  unfinished(response) {
    response.writeHead(200, HEAD);
    response.end(chunk("no end"));
  },
  garbage(response) {
    response.writeHead(200, HEAD);
    response.end('data: {"choices": [\n\ndata: [DONE]\n\n');
  },
  failing(response) {
    response.writeHead(200, HEAD);
    response.end(
      chunk("so far ") + event({ error: { message: "The model fell over", type: "server_error" } }),
    );
  },
  refused(response) {
    response.writeHead(401, { "content-type": "application/json" });
    response.end(
      JSON.stringify({ error: { message: "Incorrect API key provided", type: "invalid_request_error" } }),
    );
  },
  page(response) {
    response.writeHead(200, { "content-type": "text/html" });
    response.end("<html>Not a model</html>");
  },
  /** Too busy once, then as if nothing had been. */
  busy(response, request, nth) {
    if (nth > 1) return echo(response, request);
    response.writeHead(429, { "content-type": "application/json", "retry-after": "0" });
    response.end(JSON.stringify({ error: { message: "Rate limit reached" } }));
  },
  /** Says something, then nothing, and leaves the connection open. */
  silent(response) {
    response.writeHead(200, HEAD);
    response.write(chunk("Wait"));
  },
  /** Never stops talking. */
  async endless(response) {
    response.writeHead(200, HEAD);
    const open = () => !response.destroyed;
    while (open()) {
      if (!response.write(chunk("on and on ".repeat(100)))) {
        await new Promise<void>((resolve) => {
          response.once("drain", resolve);
          response.once("close", resolve);
        });
      }
      await pause(0);
    }
  },
};

export async function chatServer(): Promise<ChatServer> {
  const requests: ChatRequest[] = [];
  let leave: (at: number) => void = () => undefined;
  const left = new Promise<number>((resolve) => {
    leave = resolve;
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = "";
    for await (const part of request.setEncoding("utf8")) text += part;
    const asked = { path: request.url ?? "", headers: request.headers, body: JSON.parse(text) };
    requests.push(asked);
    response.on("close", () => {
      if (!response.writableFinished) leave(performance.now());
    });
    const behaviour = BEHAVIOURS[asked.body.model];
    if (!behaviour) throw new Error(`No behaviour ${asked.body.model}`);
    await behaviour(response, asked, requests.length);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    requests,
    left,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
