import { createNodeSandbox } from "../../../compute/sandbox/node/sandbox.ts";
import { sandboxContract } from "../../contract/sandbox.ts";

sandboxContract("child processes", async () => {
  const sandbox = createNodeSandbox({ children: 2 });
  await sandbox.warm();
  return sandbox;
});
