import { WORKER_SCRIPT } from "./worker-script.ts";

/**
 * What the frame allows itself and its workers: scripts that are in it, texts that workers are told to run, and nothing else.
 * No connection of any kind, no image, no frame.
 */
const policyOf = (nonce: string) =>
  `default-src 'none'; script-src 'nonce-${nonce}' 'unsafe-eval'; worker-src blob:; base-uri 'none'; form-action 'none'`;

/** Starts workers and ends them as its port says: `["spawn", id]` with the worker's port, `["kill", id]`, `["ping"]`. */
export const FRAME_SCRIPT = `addEventListener("message", ({ ports: [control] }) => {
  const url = URL.createObjectURL(new Blob([${quoted(WORKER_SCRIPT)}], { type: "text/javascript" }));
  const workers = new Map();
  control.onmessage = ({ data: [order, id], ports }) => {
    if (order === "spawn") {
      const worker = new Worker(url);
      workers.set(id, worker);
      worker.postMessage(null, ports);
    } else if (order === "kill") {
      workers.get(id)?.terminate();
      workers.delete(id);
    } else control.postMessage("alive");
  };
}, { once: true });`;

/** What the frame may do at all: no origin of the page's, no forms, no windows. */
export const FRAME_SANDBOX = "allow-scripts";

/** The document of a frame that runs this script. The nonce is random. */
export function frameDocument(nonce: string, script: string): string {
  const policy = `<meta http-equiv="Content-Security-Policy" content="${policyOf(nonce)}">`;
  return `<!doctype html><meta charset="utf-8">${policy}<script nonce="${nonce}">${script}</script>`;
}

/** As a literal inside a script element. */
function quoted(script: string): string {
  return JSON.stringify(script).replaceAll("<", "\\u003c");
}
