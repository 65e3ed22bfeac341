import { z } from "zod";
import {
  type Cost,
  defineNode,
  type Effect,
  type Emission,
  type InputSpec,
  type NodeContext,
  type NodeType,
} from "../../compute/engine/node-type.ts";
import { type Kind, NodeflowError, type Value } from "../../protocol/index.ts";
import { isProvisional, PROVISIONAL, PROVISIONAL_BYTE, weigh } from "./weigh.ts";

/** How the attempts of a test node go wrong. */
const failing = {
  /** So many attempts fail, then one succeeds. A large number fails for ever. */
  failures: z.number().default(0),
  /** A failing attempt emits so much first, marked as provisional. */
  failAfter: z.number().default(1),
  /** `error` may be retried, `fatal` may not, `hang` waits until it is aborted. */
  fault: z.enum(["error", "fatal", "hang"]).default("error"),
};
const kind = z.enum(["value", "text", "bytes", "items"]);
const effect = z.enum(["pure", "idempotent", "effectful"]).default("pure");
const pace = {
  /** Waits so long before each emission. */
  delayMs: z.number().default(0),
};

export const SourceData = z.object({
  kind,
  count: z.number().default(3),
  offset: z.number().default(0),
  /** What `return()` meets: a node that goes at once, or one that takes its time, counted in turns of promises. */
  linger: z.number().default(0),
  ...failing,
  ...pace,
});
export type SourceData = z.infer<typeof SourceData>;

export const RelayData = z.object({
  kind: z.enum(["text", "bytes", "items"]),
  offset: z.number().default(0),
  /** Ends after so many. */
  take: z.number().optional(),
  effect,
  ...failing,
  ...pace,
});
export type RelayData = z.infer<typeof RelayData>;

export const GatherData = z.object({ effect, ...failing, ...pace });
export const JoinData = z.object({ effect, ...failing, ...pace });
export const ListData = z.object({ ...pace });
export const GateData = z.object({ modulus: z.number().default(2), remainder: z.number().default(0) });
export const PairData = z.object({ take: z.boolean().default(true) });

/** What the test nodes of one run saw and did. */
export class Ledger {
  /** What no node should ever see: provisional values on settled inputs, changed seeds, effects on provisional input. */
  readonly violations: string[] = [];
  /** Attempts begun, in order. */
  readonly starts: { readonly path: string; readonly attempt: number }[] = [];
  /** Attempts of effectful nodes that went through, by idempotency key. */
  readonly effects = new Map<string, number>();
  readonly #seeds = new Map<string, string>();
  /** Generators entered and not left: now, and at most. */
  open = 0;
  most = 0;
  disposed = 0;

  enter(context: NodeContext): void {
    this.open += 1;
    this.most = Math.max(this.most, this.open);
    this.starts.push({ path: context.path, attempt: context.attempt });
    // Further in, what a scope was given live may well be provisional, and the scope with it.
    for (const [handle, value] of context.path.includes("/") ? [] : Object.entries(context.inputs)) {
      if (!isProvisional(value)) continue;
      this.violations.push(`${context.path}: provisional value on settled ${handle}`);
    }
    const known = this.#seeds.get(context.path);
    const identity = `${context.seed} ${context.idempotencyKey}`;
    if (known !== undefined && known !== identity) {
      this.violations.push(`${context.path}: seed or idempotencyKey changed between attempts`);
    }
    this.#seeds.set(context.path, identity);
  }

  leave(): void {
    this.open -= 1;
  }

  effect(context: NodeContext, input: unknown): void {
    if (isProvisional(input)) this.violations.push(`${context.path}: an effect on provisional input`);
    this.effects.set(context.idempotencyKey, (this.effects.get(context.idempotencyKey) ?? 0) + 1);
  }
}

interface Faulty {
  readonly failures: number;
  readonly failAfter: number;
  readonly fault: "error" | "fatal" | "hang";
}

export const FAILURE_MESSAGE = "the test node was told to fail";

/** Ends a doomed attempt in the way its data says. */
async function goWrong(data: Faulty, context: NodeContext): Promise<never> {
  if (data.fault === "hang") await aborted(context.signal);
  throw new NodeflowError("NODE_FAILED", FAILURE_MESSAGE, { retryable: data.fault !== "fatal" });
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** One emission of a kind, for a number. `provisional` is the number of the doomed attempt that makes it. */
export function piece(of: Kind, number: number, provisional?: number): Value {
  const doomed = provisional !== undefined;
  if (of === "text") return doomed ? `${PROVISIONAL}${provisional};` : `${number};`;
  if (of === "bytes") return Uint8Array.of(doomed ? PROVISIONAL_BYTE : number % 250);
  return doomed ? `${PROVISIONAL}${provisional}` : number;
}

const MODULUS = 997;
const anything: InputSpec = {};
const liveInput: InputSpec = { live: ["items", "text", "bytes"] };
const settledInputs = { in: anything, "*": anything };

/** The node types that tests use beside the built-in ones. They write down what happens to them in `ledger`. */
export function testNodes(ledger: Ledger): NodeType[] {
  type Body<Data> = (context: NodeContext<Data>) => AsyncGenerator<Emission, void, undefined>;
  const tracked = <Data>(body: Body<Data>): Body<Data> =>
    async function* (context) {
      ledger.enter(context);
      try {
        yield* body(context);
      } finally {
        ledger.leave();
      }
    };
  const dispose = () => {
    ledger.disposed += 1;
  };
  const light: Cost = "light";
  const common = { cost: light, dispose };
  const wait = async (context: NodeContext, ms: number) => {
    if (ms > 0) await context.sleep(ms);
  };

  const source = defineNode<SourceData>({
    ...common,
    type: "test-source",
    description: "Emits numbers that follow from its input",
    data: SourceData as unknown as z.ZodType<SourceData>,
    strongest: "pure",
    effect: () => "pure",
    handles: (data) => ({ inputs: { in: { many: true } }, outputs: { out: data.kind } }),
    execute: tracked(async function* (context) {
      const { data, attempt } = context;
      const doomed = attempt <= data.failures;
      const base = baseOf(context.inputs["in"]);
      try {
        for (let n = 0; n < data.count; n += 1) {
          if (doomed && n >= data.failAfter) break;
          await wait(context, data.delayMs);
          const number = (base + n + data.offset) % MODULUS;
          yield { value: piece(data.kind, number, doomed ? attempt : undefined) };
        }
        if (doomed) await goWrong(data, context);
      } finally {
        for (let n = 0; n < data.linger; n += 1) await Promise.resolve();
      }
    }),
  });

  const relay = defineNode<RelayData>({
    ...common,
    type: "test-relay",
    description: "Passes on what it reads, as it comes",
    data: RelayData as unknown as z.ZodType<RelayData>,
    strongest: "effectful",
    effect: (data): Effect => data.effect,
    handles: (data) => ({
      inputs: { in: { ...liveInput, required: true }, side: anything },
      outputs: { out: data.kind },
    }),
    execute: tracked(async function* (context) {
      const { data, attempt } = context;
      const doomed = attempt <= data.failures;
      const add = data.offset + (context.inputs["side"] === undefined ? 0 : weigh(context.inputs["side"]));
      const seen: Value[] = [];
      let taken = 0;
      const live = context.live["in"];
      if (!live) throw new NodeflowError("INTERNAL", "the live input is missing");
      const whole = live.kind === "text" || live.kind === "bytes";
      const same = live.kind === data.kind;
      const emit = (value: Value): Emission => {
        const number = (weigh(value) + add) % MODULUS;
        const tainted = doomed || isProvisional(value);
        return { value: piece(data.kind, number, tainted ? attempt : undefined) };
      };
      for await (const value of live) {
        if (data.effect === "effectful") ledger.effect(context, value);
        if (doomed && taken >= data.failAfter) break;
        if (data.take !== undefined && taken >= data.take && !whole) break;
        taken += 1;
        await wait(context, data.delayMs);
        if (!whole) yield emit(value);
        else if (same) yield { value: doomed ? piece(data.kind, 0, attempt) : value };
        else seen.push(value);
      }
      if (doomed) await goWrong(data, context);
      if (whole && !same) yield emit(joined(live.kind, seen));
    }),
  });

  const gather = defineNode<z.infer<typeof GatherData>>({
    ...common,
    type: "test-gather",
    description: "Reads everything as it comes, and gives it as one value",
    data: GatherData as unknown as z.ZodType<z.infer<typeof GatherData>>,
    strongest: "effectful",
    effect: (data): Effect => data.effect,
    handles: () => ({ inputs: { in: { ...liveInput, required: true } }, outputs: { out: "value" } }),
    execute: tracked(async function* (context) {
      const { data, attempt } = context;
      const live = context.live["in"];
      if (!live) throw new NodeflowError("INTERNAL", "the live input is missing");
      const doomed = attempt <= data.failures;
      const seen: Value[] = [];
      for await (const value of live) {
        if (data.effect === "effectful") ledger.effect(context, value);
        if (doomed && seen.length >= data.failAfter) break;
        await wait(context, data.delayMs);
        seen.push(value);
      }
      if (doomed) {
        yield { value: piece("value", 0, attempt) };
        await goWrong(data, context);
      }
      yield { value: joined(live.kind, seen) };
    }),
  });

  const join = defineNode<z.infer<typeof JoinData>>({
    ...common,
    type: "test-join",
    description: "The weight of all its inputs",
    data: JoinData as unknown as z.ZodType<z.infer<typeof JoinData>>,
    strongest: "effectful",
    effect: (data): Effect => data.effect,
    handles: () => ({ inputs: settledInputs, outputs: { out: "value" } }),
    execute: tracked(async function* (context) {
      const { data, attempt } = context;
      await wait(context, data.delayMs);
      if (attempt <= data.failures) {
        yield { value: piece("value", 0, attempt) };
        await goWrong(data, context);
      }
      if (data.effect === "effectful") ledger.effect(context, context.inputs);
      yield { value: weigh(context.inputs) };
    }),
  });

  const list = defineNode<z.infer<typeof ListData>>({
    ...common,
    type: "test-list",
    description: "Its inputs as a list",
    data: ListData as unknown as z.ZodType<z.infer<typeof ListData>>,
    strongest: "pure",
    effect: () => "pure",
    handles: () => ({ inputs: { in: { many: true } }, outputs: { out: "value" } }),
    execute: tracked(async function* (context) {
      await wait(context, context.data.delayMs);
      yield { value: context.inputs["in"] ?? [] };
    }),
  });

  const gate = defineNode<z.infer<typeof GateData>>({
    ...common,
    type: "test-gate",
    description: "Passes its input to `yes` or `no`",
    data: GateData as unknown as z.ZodType<z.infer<typeof GateData>>,
    strongest: "pure",
    effect: () => "pure",
    handles: () => ({ inputs: { in: { required: true } }, outputs: { yes: "value", no: "value" } }),
    execute: tracked(async function* (context) {
      const value = context.inputs["in"] ?? null;
      const open = weigh(value) % context.data.modulus === context.data.remainder;
      yield { handle: open ? "yes" : "no", value };
    }),
  });

  const plain = [source, relay, gather, join, list, gate] as unknown as NodeType[];
  return plain;
}

/** Where a source begins to count: it follows from its input, if it has any. */
export function baseOf(input: Value | undefined): number {
  return Array.isArray(input) && input.length === 0 ? weigh(undefined) : weigh(input);
}

/** What a live input gave in all: a list of items, the one value, or the pieces joined. */
export function joined(of: Kind, pieces: readonly Value[]): Value {
  if (of === "text") return pieces.join("");
  if (of === "bytes") return Uint8Array.from(pieces.flatMap((bytes) => [...(bytes as Uint8Array)]));
  if (of === "value") return pieces[0] ?? null;
  return pieces;
}
