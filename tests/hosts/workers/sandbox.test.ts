import { fileURLToPath } from "node:url";
import { sandboxContract } from "../../contract/sandbox.ts";
import { type Channel, remoteSandbox } from "../../support/remote-sandbox.ts";
import { startWorkerd } from "./workerd.ts";

const WORKER = fileURLToPath(new URL("./worker/sandbox.ts", import.meta.url));

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

sandboxContract("workerd", async () => {
  const workerd = await startWorkerd({}, WORKER);
  const channel = await connect(workerd.url);
  return {
    ...remoteSandbox(channel),
    async close() {
      channel.close();
      await workerd[Symbol.asyncDispose]();
    },
  };
});
