import { writeFileSync } from "node:fs";
import process from "node:process";
import { z } from "zod";
import type { NodeType } from "../../compute/engine/index.ts";

const heavy: Omit<NodeType, "type" | "data" | "execute"> = {
  description: "",
  cost: "heavy",
  strongest: "pure",
  effect: () => "pure",
  handles: () => ({ inputs: { in: {}, live: { live: ["items"] } }, outputs: { out: "items" } }),
};

function computeFor(ms: number): number {
  const until = performance.now() + ms;
  let sum = 0;
  while (performance.now() < until) for (let i = 0; i < 10_000; i += 1) sum += Math.sqrt(i);
  return sum;
}

const node = <Data>(type: string, data: z.ZodType<Data>, execute: NodeType<Data>["execute"]): NodeType => ({
  ...heavy,
  type,
  data,
  execute: execute as NodeType["execute"],
});

const None = z.object({});

/** Node types that are too much for a thread that serves others. The processes of a pool load them from here. */
export const nodeTypes: readonly NodeType[] = [
  /** Computes for so long before each of so many emissions. */
  node("burn", z.object({ ms: z.number(), count: z.number().default(1) }), function* ({ data }) {
    for (let n = 0; n < data.count; n += 1) {
      computeFor(data.ms);
      yield { value: n };
    }
  }),
  /** The same work each time, however fast the machine is. */
  node("work", z.object({ loops: z.number() }), function* ({ data }) {
    let sum = 0;
    for (let i = 0; i < data.loops; i += 1) sum = (sum + Math.imul(i, i ^ sum)) | 0;
    yield { value: sum };
  }),
  node("spin", None, () => {
    for (;;);
  }),
  /** A loop within one built-in function, where nothing but the end of its process ends it. */
  node("native-loop", None, () => [{ value: Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1) }]),
  node("hog", None, () => {
    const held: unknown[] = [];
    for (;;) held.push({ held: held.length });
  }),
  node("exit", None, () => process.exit(3)),
  node("where", None, () => [{ value: process.pid }]),
  node("environment", None, () => [{ value: Object.keys(process.env) }]),
  /** Emits numbers at once, and logs each that it has computed. */
  node("count", z.object({ to: z.number() }), function* (context) {
    for (let n = 0; n < context.data.to; n += 1) {
      context.log("debug", String(n));
      yield { value: n };
    }
  }),
  node("emit", z.object({ count: z.number() }), function* ({ data }) {
    for (let n = 0; n < data.count; n += 1) yield { value: n };
  }),
  node("relay", None, async function* ({ live }) {
    for await (const value of live["live"] ?? []) yield { value };
  }),
  node("fail", z.object({ ms: z.number() }), ({ data }) => {
    computeFor(data.ms);
    throw new Error("told to fail");
  }),
  /** Writes a file, which shows that it has begun. */
  node("touch", z.object({ file: z.string() }), ({ data }) => {
    writeFileSync(data.file, "");
    return [];
  }),
  node("stubborn", None, async function* ({ signal }) {
    yield { value: 0 };
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    computeFor(60_000);
  }),
  node("speak", None, async function* (context) {
    context.log("info", "hello");
    context.progress(1, 2, "half");
    yield { value: await context.ask({ tool: "name", args: { of: context.path } }) };
    yield { value: await context.waitFor(Promise.resolve("waited")) };
    using _connection = await context.connection();
    const { seed, idempotencyKey, executionId, attempt, runtime } = context;
    yield { value: { seed, idempotencyKey, executionId, attempt, runtime } };
  }),
];
