import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NodeTypes } from "../../../compute/engine/index.ts";
import { execute } from "../../../compute/hosts/local.ts";
import { sandboxNodes } from "../../../compute/hosts/sandbox-nodes.ts";
import { builtinNodes, nodeTypes } from "../../../compute/nodes/index.ts";
import { createNodeSandbox, type NodeSandbox } from "../../../compute/sandbox/node/sandbox.ts";
import { type ExecutionUpdate, NodeflowError, toBase64, type Value } from "../../../protocol/index.ts";
import { EXAMPLE, wasmModule } from "../../support/wasm.ts";

let sandbox: NodeSandbox;
let types: NodeTypes;
beforeAll(async () => {
  sandbox = createNodeSandbox({ children: 2 });
  types = nodeTypes(builtinNodes, sandboxNodes(sandbox));
  await sandbox.warm();
});
afterAll(() => sandbox.close());

interface Ran {
  readonly updates: readonly ExecutionUpdate[];
  readonly output?: Value;
  readonly error?: { readonly code: string; readonly message: string };
}

/** Runs one node with constants on its handles. */
async function run(
  type: string,
  data: unknown,
  inputs: Readonly<Record<string, Value>> = {},
  seed = "s",
): Promise<Ran> {
  const names = Object.keys(inputs);
  const workflow = {
    nodes: [
      { id: "node", type, data },
      { id: "end", type: "output", data: { name: "end" } },
      ...names.map((name) => ({ id: `in-${name}`, type: "constant", data: { value: inputs[name] } })),
    ],
    edges: [
      { source: "node", target: "end" },
      ...names.map((name) => ({ source: `in-${name}`, target: "node", targetHandle: name })),
    ],
  };
  const updates: ExecutionUpdate[] = [];
  for await (const update of execute({ workflow, options: { seed } }, { types })) updates.push(update);
  const last = updates.at(-1);
  if (last?.type === "execution-completed") return { updates, output: last.outputs["end"] as Value };
  if (last?.type === "execution-failed") return { updates, error: last.error };
  throw new Error(`The run ended with ${last?.type}`);
}

async function refusals(type: string, data: unknown): Promise<string[]> {
  try {
    await run(type, data);
    return [];
  } catch (error) {
    if (!(error instanceof NodeflowError)) throw error;
    return (error.details as { code: string; path: string; message: string }[]).map(
      ({ code, path, message }) => `${code} ${path}: ${message}`,
    );
  }
}

describe("code", () => {
  it("gives what its function makes of the inputs", async () => {
    const { output, updates } = await run(
      "code",
      { source: "export default ({ in: x, b }) => [x, b]" },
      { in: 1, b: "b" },
    );
    expect(output).toEqual([1, "b"]);
    expect(updates).toContainEqual(
      expect.objectContaining({ type: "node-started", nodeId: "node", executor: { kind: "pool" } }),
    );
  });

  it("streams items", async () => {
    const source = "export default function* ({ in: n }) { for (let i = 0; i < n; i += 1) yield i }";
    const { output, updates } = await run("code", { source, stream: true }, { in: 3 });
    expect(output).toEqual([0, 1, 2]);
    expect(updates.filter(({ type }) => type === "node-output")).toHaveLength(4);
  });

  it("logs what it writes", async () => {
    const { updates } = await run("code", { source: 'export default () => { console.warn("w") }' });
    expect(updates).toContainEqual(
      expect.objectContaining({ type: "node-log", nodeId: "node", level: "warn", message: "w" }),
    );
  });

  it("has the randomness of the run's seed", async () => {
    const data = { source: "export default () => Math.random()" };
    const first = await run("code", data, {}, "one");
    expect((await run("code", data, {}, "one")).output).toBe(first.output);
    expect((await run("code", data, {}, "two")).output).not.toBe(first.output);
  });

  it("is refused before the run where its source is wrong, with the place", async () => {
    expect(await refusals("code", { source: "export default () =>\n  41 +" })).toEqual([
      'INVALID_NODE_DATA /workflow/nodes/0/data/source: Node "node": source: is not JavaScript (ES2023): Unexpected token (line 2, column 7)',
    ]);
    expect(await refusals("code", { source: 'import "fs"; export default 1' })).toEqual([
      expect.stringContaining("has no modules to load, so no `import` (line 1)"),
    ]);
    expect(await refusals("code", { source: "const f = 1" })).toEqual([
      expect.stringContaining("must `export default` a function"),
    ]);
    expect(await refusals("code", {})).toEqual([expect.stringContaining("source: must be JavaScript")]);
  });

  it("asks for no more memory and time than the host allows", async () => {
    const source = "export default () => 1";
    expect(await refusals("code", { source, memoryMb: 1_000_000, timeoutMs: 1e9 })).toEqual([
      expect.stringContaining("memoryMb: must be at most 512"),
      expect.stringContaining("timeoutMs: must be at most 600000"),
    ]);
  });

  it("fails with what the program threw", async () => {
    const { error } = await run("code", { source: "export default () => {\n  null.x }" });
    expect(error?.code).toBe("NODE_FAILED");
    expect(error?.message).toContain("(line 2)");
  });

  it("is stopped by its own deadline", async () => {
    const { error } = await run("code", { source: "export default () => { for (;;); }", timeoutMs: 100 });
    expect(error?.code).toBe("NODE_TIMEOUT");
  });

  it("streams into a map whose items are code as well", async () => {
    const item = {
      nodes: [
        { id: "i", type: "input", data: { name: "item" } },
        { id: "c", type: "code", data: { source: "export default ({ in: x }) => x * x" } },
        { id: "o", type: "output", data: { name: "o" } },
      ],
      edges: [
        { source: "i", target: "c" },
        { source: "c", target: "o" },
      ],
    };
    const source = "export default function* () { for (let i = 0; i < 300; i += 1) yield i }";
    const nodes = [
      { id: "s1", type: "code", data: { source, stream: true } },
      { id: "s2", type: "code", data: { source, stream: true } },
      { id: "s3", type: "code", data: { source, stream: true } },
      ...["1", "2", "3"].flatMap((n) => [
        { id: `m${n}`, type: "map", data: { workflow: item } },
        { id: `e${n}`, type: "output", data: { name: `e${n}` } },
      ]),
    ];
    const edges = ["1", "2", "3"].flatMap((n) => [
      { source: `s${n}`, target: `m${n}` },
      { source: `m${n}`, target: `e${n}` },
    ]);
    const updates: ExecutionUpdate[] = [];
    for await (const update of execute({ workflow: { nodes, edges } }, { types })) updates.push(update);
    const squares = Array.from({ length: 300 }, (_, i) => i * i);
    expect(updates.at(-1)).toMatchObject({
      type: "execution-completed",
      outputs: { e1: squares, e2: squares, e3: squares },
    });
  });
});

describe("wasm", () => {
  const module = toBase64(EXAMPLE);
  const wasm = (call: string, args: unknown, inputs: Readonly<Record<string, Value>> = {}) =>
    run("wasm", { module, call, ...(args !== undefined && { args }) }, inputs);

  it("calls an export with numbers", async () => {
    expect((await wasm("add", [2, 3])).output).toBe(5);
    expect((await wasm("half", [3])).output).toBe(1.5);
    expect((await wasm("nothing", [])).output).toBeNull();
  });

  it("takes and gives 64-bit integers as numbers, as far as they are exact", async () => {
    expect((await wasm("big", [2 ** 52, 1])).output).toBe(2 ** 52 + 1);
    expect((await wasm("big", [2 ** 53 - 1, 1])).error?.message).toContain("too large for a number");
    expect((await wasm("big", [0.5, 1])).error).toMatchObject({ code: "INVALID_INPUT" });
  });

  it("copies bytes in, and gives bytes for a pointer and a length", async () => {
    expect((await wasm("same", ["{{in}}"], { in: Uint8Array.of(1, 2, 3) })).output).toEqual(
      Uint8Array.of(1, 2, 3),
    );
  });

  it("takes its arguments from templates, or from `in`", async () => {
    expect((await wasm("add", ["{{a}}", "{{b.0}}"], { a: 1, b: [41] })).output).toBe(42);
    expect((await wasm("add", undefined, { in: [1, 2] })).output).toBe(3);
    expect((await wasm("half", undefined, { in: 8 })).output).toBe(4);
    expect((await wasm("add", ["{{a}}", 1], { a: "text" })).error).toMatchObject({
      code: "INVALID_INPUT",
      message: "Argument 1 must be a number or bytes",
    });
  });

  it("takes the module as bytes from its handle", async () => {
    expect((await run("wasm", { call: "add", args: [1, 1] }, { module: EXAMPLE })).output).toBe(2);
    const imports = [1, 1, 0x61, 1, 0x62, 0, 0];
    expect((await run("wasm", { call: "add" }, { module: wasmModule({ imports }) })).error).toMatchObject({
      code: "INVALID_INPUT",
      message: 'The module imports "a" "b"; there is nothing to import here',
    });
    expect((await run("wasm", { call: "add" }, { module: "text" })).error?.code).toBe("INVALID_INPUT");
  });

  it("says what is wrong with it before the run, and asks for the handle where there is no module", async () => {
    expect(await refusals("wasm", { module: "?", call: "f" })).toEqual([
      expect.stringContaining("module: is not base64"),
    ]);
    expect(await refusals("wasm", { module: toBase64(Uint8Array.of(1)), call: "f" })).toEqual([
      expect.stringContaining("module: is not WebAssembly"),
    ]);
    expect(await refusals("wasm", { module: toBase64(wasmModule({ memory: [2_000] })), call: "f" })).toEqual([
      expect.stringContaining("needs 2000 of memory"),
    ]);
    expect(await refusals("wasm", { call: "f" })).toEqual([
      expect.stringContaining("REQUIRED_INPUT_MISSING"),
    ]);
  });

  it("fails with the module's own failures", async () => {
    expect((await wasm("missing", [])).error?.message).toContain(
      "exports no function missing; it has add, big",
    );
    expect((await wasm("trap", [])).error).toMatchObject({ code: "NODE_FAILED" });
    expect((await wasm("outside", [])).error?.message).toContain("outside of its memory");
    expect((await wasm("deep", [])).error?.code).toBe("RESOURCE_EXHAUSTED");
  });

  it("is stopped by its deadline", async () => {
    const { error } = await run("wasm", { module, call: "spin", timeoutMs: 100 });
    expect(error?.code).toBe("NODE_TIMEOUT");
  });

  it("grows its memory as far as it may", async () => {
    expect((await run("wasm", { module, call: "grow", memoryMb: 16 })).output).toBe(256);
  });
});
