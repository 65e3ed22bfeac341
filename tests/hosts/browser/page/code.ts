import { browserNodes, createBrowserSandbox } from "../../../../compute/hosts/browser.ts";
import { execute } from "../../../../compute/hosts/local.ts";
import { compileProgram, type Job } from "../../../../compute/sandbox/index.ts";
import { encodeJson, type Value, type Workflow } from "../../../../protocol/index.ts";
import type { CodePage, Speed } from "./code-page.ts";

const sandbox = createBrowserSandbox();
const types = browserNodes(sandbox);

function jobOf(source: string, inputs: Job["inputs"]): Job {
  return {
    program: compileProgram(source),
    inputs,
    stream: false,
    seed: "s",
    owner: "somebody",
    group: "g",
    memoryMb: 64,
    timeoutMs: 60_000,
    log: () => undefined,
  };
}

async function inSandbox(source: string, inputs: Job["inputs"]): Promise<{ value: Value; ms: number }> {
  const began = performance.now();
  for await (const value of await sandbox.start(jobOf(source, inputs), new AbortController().signal)) {
    return { value, ms: performance.now() - began };
  }
  throw new Error("it gave nothing");
}

let rounds = 0;

const page: CodePage = {
  async run(workflow) {
    for await (const update of execute(workflow as Workflow, { types })) {
      if (update.type === "execution-completed") return encodeJson(update.outputs);
      if (update.type === "execution-failed") throw new Error(JSON.stringify(update.error));
    }
    throw new Error("it never ended");
  },

  async speed(body, n): Promise<Speed> {
    const source = `export default ({ n }) => { ${body} }`;
    const { value, ms } = await inSandbox(source, { n });
    rounds += 1;
    // Another text each time, or the engine would remember what it made of it the last time.
    const plain = new Function("n", `/* ${rounds} */ ${body}`) as (n: number) => number;
    const began = performance.now();
    const expected = plain(n);
    if (value !== expected) throw new Error(`${value} instead of ${expected}`);
    return { sandboxMs: ms, plainMs: performance.now() - began };
  },

  async start() {
    const { ms } = await inSandbox("export default () => 1", {});
    return ms;
  },
};

Object.assign(globalThis, { codePage: page });
