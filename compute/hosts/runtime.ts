import type { Runtime } from "../engine/index.ts";

/** Which host this is, by what WinterTC's `navigator.userAgent` says; whatever says nothing of itself is a browser. */
export function thisRuntime(): Runtime {
  const agent =
    (globalThis as { readonly navigator?: { readonly userAgent?: string } }).navigator?.userAgent ?? "";
  if (agent === "Cloudflare-Workers") return "workers";
  return /^(Node\.js|Bun|Deno)\b/.test(agent) ? "node" : "browser";
}
