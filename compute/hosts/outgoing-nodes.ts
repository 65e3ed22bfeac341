import type { Limits } from "../../protocol/index.ts";
import type { NodeTypes } from "../engine/index.ts";
import { httpNode, llmNode, Network, nodeTypes, type Outlet, type Pace } from "../nodes/index.ts";
import { webClock } from "./web.ts";

/** What a host says of calls that leave it. */
export interface OutgoingConfig {
  readonly outgoing: { readonly pace: Pace };
  readonly limits: Limits;
}

/** The node types that call others, through this way out. Their calls are paced together. */
export function outgoingNodes(outlet: Outlet, { outgoing, limits }: OutgoingConfig): NodeTypes {
  const network = new Network({ outlet, clock: webClock(), pace: outgoing.pace, limits });
  return nodeTypes(httpNode(network), llmNode(network));
}
