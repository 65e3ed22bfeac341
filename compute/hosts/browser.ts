/** `nodeflow/browser`: what a page has besides the engine: the network, as pages have it, and a place where programs run. */
import { DEFAULT_LIMITS } from "../../protocol/index.ts";
import type { NodeTypes } from "../engine/index.ts";
import { builtinNodes, DEFAULT_PACE, nodeTypes } from "../nodes/index.ts";
import type { Sandbox } from "../sandbox/index.ts";
import { outgoingNodes } from "./outgoing-nodes.ts";
import { pageOutlet } from "./page-outlet.ts";
import { sandboxNodes } from "./sandbox-nodes.ts";

export { type BrowserSandboxOptions, createBrowserSandbox } from "../sandbox/browser/sandbox.ts";

/** Every node type that a page has, for `execute(request, { types })`. */
export function browserNodes(sandbox: Sandbox): NodeTypes {
  const outgoing = outgoingNodes(pageOutlet(), { outgoing: { pace: DEFAULT_PACE }, limits: DEFAULT_LIMITS });
  return nodeTypes(builtinNodes, outgoing, sandboxNodes(sandbox));
}
