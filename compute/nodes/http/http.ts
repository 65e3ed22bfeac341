import type { Kind } from "../../../protocol/index.ts";
import { defineNode, type Emission, type NodeContext, type NodeType } from "../../engine/index.ts";
import type { Network } from "../network/network.ts";
import { Data, hasBody, originOf } from "./data.ts";
import { answerFailure } from "./failure.ts";
import { read } from "./read.ts";
import { received } from "./received.ts";
import { requestOf } from "./request.ts";

const KINDS: Readonly<Record<Data["read"], Kind>> = {
  json: "value",
  text: "text",
  lines: "items",
  sse: "items",
  bytes: "bytes",
};

/** The type that calls others over HTTP, through the network of its host. */
export function httpNode(network: Network): NodeType<Data> {
  return defineNode<Data>({
    type: "http",
    description: "Calls a URL and streams its answer",
    data: Data,
    cost: "light",
    strongest: "effectful",
    secrets: ["/headers/*"],
    destination: ({ url }) => originOf(url),
    handles: ({ read }) => ({ inputs: { "*": {} }, outputs: { out: KINDS[read] } }),
    effect: ({ method }) => (hasBody(method) ? "effectful" : "idempotent"),
    execute: (context) => answer(network, context),
  });
}

async function* answer(network: Network, context: NodeContext<Data>): AsyncGenerator<Emission> {
  const request = requestOf(context);
  const response = await network.call(context, request);
  if (!response.ok)
    throw await answerFailure(response, `${request.method} ${place(request.url)}`, {
      sleep: (ms) => context.sleep(ms),
    });
  const charset =
    /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(response.headers.get("content-type") ?? "")?.[1] ?? null;
  yield* read(context.data.read, received(response, context), { limits: network.limits, charset });
}

const SHOWN = 200;

/** A URL without its query, which may hold what is nobody's business. */
function place(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + (pathname.length > SHOWN ? `${pathname.slice(0, SHOWN)}…` : pathname);
}
