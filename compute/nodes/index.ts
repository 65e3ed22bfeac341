export { codeNode } from "./code.ts";
export { httpNode } from "./http/http.ts";
export { llmNode } from "./llm/llm.ts";
export { Network, type NetworkConfig } from "./network/network.ts";
export type { Incoming, Outgoing, Outlet } from "./network/outlet.ts";
export { DEFAULT_PACE, type Pace } from "./network/turns.ts";
export * from "./registry.ts";
export type { SandboxLimits } from "./sandboxed.ts";
export { wasmNode } from "./wasm.ts";
