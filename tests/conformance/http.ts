import {
  type ErrorInfo,
  type ExecutionUpdate,
  MsgpackUpdates,
  NdjsonUpdates,
  SseUpdates,
} from "../../protocol/index.ts";
import type { Execute } from "./case.ts";

/** The forms in which a service streams updates. */
export type Stream = "text/event-stream" | "application/x-ndjson" | "application/msgpack";

interface Reader {
  push(chunk: Uint8Array): ExecutionUpdate[];
}

const readers: Readonly<Record<Stream, () => Reader>> = {
  "text/event-stream": () => new SseUpdates(),
  "application/x-ndjson": () => new NdjsonUpdates(),
  "application/msgpack": () => new MsgpackUpdates(),
};

/** A request that the service has refused. */
export class Refused extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: unknown;

  constructor(status: number, error: ErrorInfo) {
    super(`${status} ${error.code}: ${error.message}`);
    this.status = status;
    this.code = error.code;
    this.details = error.details;
  }
}

/** Runs fixtures on a service: posts the text as it is, reads the updates as they come. */
export function overHttp(url: string, accept: Stream): Execute {
  return async function* (body) {
    const response = await post(url, body, accept);
    const reader = readers[accept]();
    for await (const chunk of response.body ?? []) yield* reader.push(chunk as Uint8Array);
  };
}

/** Posts a request. Rejects with `Refused` unless the answer is 200 and of the type that was asked for. */
export async function post(url: string, body: string, accept: string): Promise<Response> {
  const headers = { "content-type": "application/json", accept };
  const response = await fetch(`${url}/execute`, { method: "POST", headers, body });
  if (!response.ok)
    throw new Refused(response.status, ((await response.json()) as { error: ErrorInfo }).error);
  const type = response.headers.get("content-type");
  if (type?.startsWith(accept) !== true) throw new TypeError(`asked for ${accept} and got ${type}`);
  return response;
}
