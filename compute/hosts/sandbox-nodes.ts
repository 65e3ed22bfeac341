import type { NodeTypes } from "../engine/index.ts";
import { codeNode, nodeTypes, type SandboxLimits, wasmNode } from "../nodes/index.ts";
import type { Sandbox } from "../sandbox/index.ts";

/** The node types that run programs of whoever asks. */
export function sandboxNodes(sandbox: Sandbox, limits?: SandboxLimits): NodeTypes {
  return nodeTypes(codeNode(sandbox, limits), wasmNode(sandbox, limits));
}
