import { execFile } from "node:child_process";
import { availableParallelism } from "node:os";
import process from "node:process";
import { promisify } from "node:util";
import { execute } from "../../compute/hosts/local.ts";
import { sandboxNodes } from "../../compute/hosts/sandbox-nodes.ts";
import { builtinNodes, nodeTypes } from "../../compute/nodes/index.ts";
import { createNodeSandbox, type NodeSandbox } from "../../compute/sandbox/node/sandbox.ts";
import type { Value, Workflow } from "../../protocol/index.ts";
import { type WasmFunction, wasmModule } from "../support/wasm.ts";
import { inTurns, median, microseconds } from "./measure.ts";
import type { Figure } from "./report.ts";

/** Bodies of functions that take no argument: the same text runs in the sandbox and in plain Node. */
const LOOPS = {
  integers:
    "let h = 1; for (let i = 0; i < 3e8; i += 1) h = (Math.imul(h ^ i, 0x01000193) + (h >>> 7)) | 0; return h",
  floats: "let x = 0.5, s = 0; for (let i = 0; i < 2e8; i += 1) { x = 3.99 * x * (1 - x); s += x } return s",
  objects:
    "let sum = 0; for (let r = 0; r < 200; r += 1) { const all = []; for (let i = 0; i < 20000; i += 1) all.push({ id: i, tags: ['a' + (i % 7)], at: { x: i, y: r } }); const by = new Map(); for (const one of all) by.set(one.tags[0], (by.get(one.tags[0]) ?? 0) + one.at.x + one.at.y); for (const n of by.values()) sum += n } return sum",
};
const ROUNDS = 5;
const STARTS = 60;
/** A warm pool has had this long to make ready again. */
const REST_MS = 60;
const ITEMS = 10_000;
const LONG_ITEMS = 12;
const LONG_MS = 120;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function once(sandbox: NodeSandbox, workflow: Workflow): Promise<Value> {
  const types = nodeTypes(builtinNodes, sandboxNodes(sandbox));
  for await (const update of execute({ workflow, options: { outputs: "none" } }, { types })) {
    if (update.type === "execution-completed") return update.outputs["end"] as Value;
    if (update.type === "execution-failed") throw new Error(update.error.message);
  }
  throw new Error("The run came to no end");
}

const single = (type: string, data: unknown): Workflow => ({
  nodes: [
    { id: "node", type, data },
    { id: "end", type: "output", data: { name: "end" } },
  ],
  edges: [{ source: "node", target: "end" }],
});

function mapped(count: number, source: string): Workflow {
  const item = {
    nodes: [
      { id: "item", type: "input", data: { name: "item" } },
      { id: "code", type: "code", data: { source, timeoutMs: 60_000 } },
      { id: "end", type: "output", data: { name: "end" } },
    ],
    edges: [
      { source: "item", target: "code" },
      { source: "code", target: "end" },
    ],
  };
  return {
    nodes: [
      { id: "range", type: "range", data: { from: 1, to: count } },
      { id: "map", type: "map", data: { workflow: item } },
      { id: "end", type: "output", data: { name: "end" } },
    ],
    edges: [
      { source: "range", target: "map" },
      { source: "map", target: "end" },
    ],
  };
}

/** Milliseconds that the same computation takes in a Node of its own, measured inside of it. */
async function plain(script: string): Promise<number> {
  const timed = `const begun = performance.now(); ${script}; console.log(performance.now() - begun)`;
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", timed]);
  return Number(stdout);
}

/** Speed beside plain V8: a ratio above 1 is faster. */
async function speed(
  sandbox: NodeSandbox,
  name: string,
  ours: Workflow,
  theirs: string,
  least: number,
): Promise<Figure> {
  const medians = await inTurns(
    {
      ours: async () => (await microseconds(() => once(sandbox, ours))) / 1_000,
      theirs: () => plain(theirs),
    },
    ROUNDS,
    1,
  );
  return {
    name: `${name}, runs a second`,
    unit: "1/s",
    value: 1_000 / medians.ours,
    control: { name: "the same in plain Node", value: 1_000 / medians.theirs },
    target: { of: "ratio", least },
  };
}

async function starts(sandbox: NodeSandbox): Promise<Figure> {
  const times: number[] = [];
  const bare: number[] = [];
  for (let start = 0; start < STARTS; start += 1) {
    await pause(REST_MS);
    times.push(await microseconds(() => once(sandbox, single("code", { source: "export default () => 1" }))));
    bare.push(await microseconds(() => once(sandbox, single("constant", { value: 1 }))));
  }
  return {
    name: "a run of one code node, its pool warm",
    unit: "ms",
    value: median(times) / 1_000,
    control: { name: "of one constant", value: median(bare) / 1_000 },
    target: { of: "value", most: 5 },
  };
}

async function items(sandbox: NodeSandbox): Promise<Figure> {
  const each = (workflow: Workflow) => async () =>
    (await microseconds(() => once(sandbox, workflow))) / 1_000 / ITEMS;
  const trivial = mapped(ITEMS, "export default ({ in: x }) => x * 2");
  const medians = await inTurns({ ours: each(trivial), context: () => plainContexts(ITEMS / 10) }, 3, 1);
  return {
    name: `map of ${ITEMS.toLocaleString("en")} trivial items, each in a context of its own`,
    unit: "ms/item",
    value: medians.ours,
    control: { name: "vm.createContext alone, in one process", value: medians.context },
    target: { of: "value", most: 0.5 },
  };
}

async function plainContexts(count: number): Promise<number> {
  const script = `const vm = require("node:vm"); for (let i = 0; i < ${count}; i += 1) vm.runInContext("1 + 1", vm.createContext())`;
  return (await plain(script)) / count;
}

/** The rate on all cores beside the rate on one. */
async function cores(): Promise<Figure> {
  // As many steps as take about LONG_MS here.
  const steps = Math.round(
    (1e8 * LONG_MS) /
      (await plain("let x = 0.5; for (let i = 0; i < 1e8; i += 1) x = 3.99 * x * (1 - x); globalThis.x = x")),
  );
  const workflow = mapped(
    LONG_ITEMS,
    `export default () => { let x = 0.5; for (let i = 0; i < ${steps}; i += 1) x = 3.99 * x * (1 - x); return x }`,
  );
  const sandboxes = { one: createNodeSandbox({ children: 1 }), two: createNodeSandbox({ children: 2 }) };
  await Promise.all(Object.values(sandboxes).map((sandbox) => sandbox.warm()));
  const rate = (sandbox: NodeSandbox) => async () =>
    (LONG_ITEMS * 1e6) / (await microseconds(() => once(sandbox, workflow)));
  const medians = await inTurns({ one: rate(sandboxes.one), two: rate(sandboxes.two) }, ROUNDS, 1);
  await Promise.all(Object.values(sandboxes).map((sandbox) => sandbox.close()));
  return {
    name: `map of items of ${LONG_MS} ms on two cores (of ${availableParallelism()})`,
    unit: "items/s",
    value: medians.two,
    control: { name: "on one", value: medians.one },
    target: { of: "ratio", least: 1.7 },
  };
}

/** Counts down from its argument, mixing: 64-bit so that nothing is folded away. */
const MIX: WasmFunction = {
  name: "mix",
  params: [0x7f],
  results: [0x7f],
  locals: 1,
  // loop: local1 = (local1 ^ local0) * 0x01000193 + (local1 >>> 7); local0 -= 1; br_if local0
  body: [
    0x03, 0x40, 0x20, 1, 0x20, 0, 0x73, 0x41, 0x93, 0x83, 0x80, 0x08, 0x6c, 0x20, 1, 0x41, 7, 0x76, 0x6a,
    0x21, 1, 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0x00, 0x0b, 0x20, 1,
  ],
};
const MIXES = 500_000_000;

/** `code` and `wasm` on Node: speed, starts, items. */
export async function benchSandbox(): Promise<Figure[]> {
  const sandbox = createNodeSandbox({ memoryMb: 128 });
  await sandbox.warm();
  const figures: Figure[] = [];
  for (const [name, body] of Object.entries(LOOPS)) {
    const ours = single("code", { source: `export default () => { ${body} }`, memoryMb: 128 });
    figures.push(await speed(sandbox, `code: ${name}`, ours, `(() => { ${body} })()`, 0.8));
  }
  const bytes = Buffer.from(wasmModule({ functions: [MIX] })).toString("base64");
  const ours = single("wasm", { module: bytes, call: "mix", args: [MIXES], memoryMb: 128 });
  const theirs = `const module = new WebAssembly.Module(Buffer.from("${bytes}", "base64")); new WebAssembly.Instance(module).exports.mix(${MIXES})`;
  figures.push(await speed(sandbox, "wasm: integers", ours, theirs, 0.9));
  await sandbox.close();

  const usual = createNodeSandbox();
  await usual.warm();
  figures.push(await starts(usual), await items(usual));
  await usual.close();
  figures.push(await cores());
  return figures;
}
