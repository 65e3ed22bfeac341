import { fileURLToPath } from "node:url";
import type { Sandbox } from "../../../compute/sandbox/index.ts";
import { type Channel, remoteSandbox } from "../../support/remote-sandbox.ts";
import { startWorkerd } from "./workerd.ts";

const WORKER = fileURLToPath(new URL("./worker/sandbox.ts", import.meta.url));

/** The sandbox of Workers, in a workerd of its own. */
export async function workerdSandbox(): Promise<Sandbox> {
  const workerd = await startWorkerd({}, WORKER);
  const channel = await connect(workerd.url);
  return {
    ...remoteSandbox(channel),
    async close() {
      channel.close();
      await workerd[Symbol.asyncDispose]();
    },
  };
}

async function connect(url: string): Promise<Channel & { close(): void }> {
  const socket = new WebSocket(url.replace("http", "ws"));
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", reject);
  });
  return {
    send: (text) => socket.send(text),
    listen: (listener) => socket.addEventListener("message", ({ data }) => listener(String(data))),
    close: () => socket.close(),
  };
}
