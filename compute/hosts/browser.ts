/** `nodeflow/browser`: what a page has besides the engine: a place where programs run. */
import type { NodeTypes } from "../engine/index.ts";
import { builtinNodes, nodeTypes } from "../nodes/index.ts";
import type { Sandbox } from "../sandbox/index.ts";
import { sandboxNodes } from "./sandbox-nodes.ts";

export { type BrowserSandboxOptions, createBrowserSandbox } from "../sandbox/browser/sandbox.ts";

/** Every node type that a page has, for `execute(request, { types })`. */
export function browserNodes(sandbox: Sandbox): NodeTypes {
  return nodeTypes(builtinNodes, sandboxNodes(sandbox));
}
