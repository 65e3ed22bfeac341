import { browserNodes, createBrowserSandbox } from "../../../../compute/hosts/browser.ts";
import { execute } from "../../../../compute/hosts/local.ts";
import type { ExecutionUpdate, Workflow } from "../../../../protocol/index.ts";
import type { CallingPage } from "./calling-page.ts";

const types = browserNodes(createBrowserSandbox());

const page: CallingPage = {
  async call(data, cancelAfter = Number.POSITIVE_INFINITY) {
    const workflow: Workflow = { nodes: [{ id: "call", type: "http", data: { ...data } }], edges: [] };
    const execution = execute(workflow, { types });
    const updates: ExecutionUpdate[] = [];
    let outputs = 0;
    for await (const update of execution) {
      updates.push(update);
      if (update.type === "node-output" && ++outputs === cancelAfter) execution.cancel();
    }
    return JSON.stringify(updates);
  },
};

Object.assign(globalThis, { callingPage: page });
