import type { NodeTypes } from "../engine/index.ts";
import { httpNode, llmNode, Network, nodeTypes, type Outlet } from "../nodes/index.ts";
import type { Environment } from "./environment.ts";
import { webClock } from "./web.ts";

/** The node types that call others, through this way out. Their calls are paced together. */
export function outgoingNodes(
  outlet: Outlet,
  { outgoing, limits }: Pick<Environment, "outgoing" | "limits">,
): NodeTypes {
  const network = new Network({ outlet, clock: webClock(), pace: outgoing.pace, limits });
  return nodeTypes(httpNode(network), llmNode(network));
}
