import { describe, expect, test } from "vitest";
import { z } from "zod";
import { createEngine, defineNode, localRunner, type NodeType } from "../../../compute/engine/index.ts";
import { DEFAULT_LIMITS, type ExecuteRequest, Workflow } from "../../../protocol/index.ts";
import { VirtualClock } from "../../support/clock.ts";

const base = { description: "", data: z.object({}), cost: "trivial", strongest: "effectful" } as const;
const source = defineNode({
  ...base,
  type: "source",
  effect: () => "pure",
  handles: () => ({ inputs: { in: {} }, outputs: { out: "items", other: "items" } }),
  execute: () => [],
});
/** Reads each of its inputs live, in any order it likes. */
const reader = (type: string, effect: "pure" | "effectful") =>
  defineNode({
    ...base,
    type,
    effect: () => effect,
    handles: () => ({ inputs: { "*": { live: ["items"] } }, outputs: { out: "items" } }),
    execute: () => [],
  });
const types = new Map<string, NodeType>(
  [source, reader("reader", "pure"), reader("sender", "effectful")].map((type) => [type.type, type]),
);
const engine = createEngine({
  runtime: "node",
  types,
  runner: localRunner,
  clock: new VirtualClock(),
  random: (bytes) => new Uint8Array(bytes),
  limits: DEFAULT_LIMITS,
});

/** `a>b.left`: an edge from a to the input `left` of b. Nodes named s… are sources, e… have effects, others read. */
async function settled(...edges: string[]): Promise<string[]> {
  const ids = new Set<string>();
  const parsed = edges.map((edge) => {
    const [source = "", target = "", targetHandle = "in"] = edge.split(/[>.]/);
    ids.add(source).add(target);
    return { source, target, targetHandle };
  });
  const typeOf = (id: string) => (id.startsWith("s") ? "source" : id.startsWith("e") ? "sender" : "reader");
  const workflow = Workflow.parse({ nodes: [...ids].map((id) => ({ id, type: typeOf(id) })), edges: parsed });
  const { issues, notes } = await engine.validate({ workflow } as ExecuteRequest);
  expect(issues).toEqual([]);
  return notes.map((note) => note.replace(/^(\w+): its input "(\w+)".*/, "$1.$2"));
}

describe("live edges that could block for ever are read as settled, and nothing else is", () => {
  test("a chain, and two sources into one reader, can't block", async () => {
    expect(await settled("s>a", "a>b", "b>c")).toEqual([]);
    expect(await settled("s>a.left", "s2>a.right")).toEqual([]);
  });

  test("two ways from one source to one reader", async () => {
    expect(await settled("s>a", "s>c.left", "a>c.right")).toEqual(["c.left", "c.right"]);
  });

  test("a settled input that depends on the source of a live one", async () => {
    expect(await settled("s>a", "a>e", "e>c.late", "s>c.live")).toContain("c.live");
  });

  test("two readers that share two sources, since they may read them in opposite orders", async () => {
    const found = await settled("s1>c.left", "s2>c.right", "s1>d.left", "s2>d.right");
    expect(found.sort()).toEqual(["c.left", "c.right", "d.left", "d.right"]);
  });

  test("a source held back through another reader of what it feeds", async () => {
    // s1 fills c.left; so d starves on it and makes no room for s2; so c.right gets nothing.
    expect(await settled("s1>a", "a>c.left", "a>d.left", "s2>d.right", "s2>c.right")).toContain("c.left");
  });

  test("what has an effect reads no live input, and that needs no note", async () => {
    expect(await settled("s>e")).toEqual([]);
  });
});
