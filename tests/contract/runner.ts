import { describe, expect, it } from "vitest";
import type {
  Emission,
  LiveInput,
  NodeContext,
  NodeTypes,
  Placement,
  Runner,
  Task,
} from "../../compute/engine/index.ts";
import { NodeflowError, type Value } from "../../protocol/index.ts";

/** What the suite needs of a runner under test. */
export interface RunnerUnderTest {
  readonly runner: Runner;
  /** The types that it can run, with the built-in ones among them. */
  readonly types: NodeTypes;
}

interface TaskOptions {
  readonly inputs?: Readonly<Record<string, Value>>;
  readonly live?: Readonly<Record<string, LiveInput>>;
  readonly abort?: AbortController;
  readonly path?: string;
}

/** What every `Runner` must do, wherever it runs nodes. Only built-in types are run, since others may not be known there. */
export function runnerContract(name: string, create: () => RunnerUnderTest | Promise<RunnerUnderTest>): void {
  const begin = async (type: string, data: unknown, options: TaskOptions = {}) => {
    const { runner, types } = await create();
    return await runner.start(taskOf(types, type, data, options));
  };

  describe(`Runner: ${name}`, () => {
    it("says where the attempt runs", async () => {
      const placement = await begin("constant", { value: 1 });
      expect(["local", "pool", "peer", "server"]).toContain(placement.executor.kind);
      await release(placement);
    });

    it("gives the node's emissions in order, each value as it was", async () => {
      expect(await all(await begin("range", { from: 1, to: 300 }))).toEqual(
        Array.from({ length: 300 }, (_, index) => index + 1),
      );
      const value = { bytes: Uint8Array.of(1, 255), list: [null, true, "é"], "": { x: 0.1 } };
      expect(await all(await begin("constant", { value }))).toEqual([value]);
    });

    it("hands over settled inputs", async () => {
      const placement = await begin("transform", { expression: "$ + $b" }, { inputs: { in: 1, b: 2 } });
      expect(await all(placement)).toEqual([3]);
    });

    it("hands over live inputs as they come", async () => {
      const source = new Source([1, 2, 3]);
      const placement = await begin(
        "transform",
        { expression: "$ * 2", each: true },
        { live: { in: source } },
      );
      expect(await all(placement)).toEqual([2, 4, 6]);
      expect(source.ended).toBe(true);
    });

    it("pulls no more than it has room for while nobody reads", async () => {
      const source = new Source(Array.from({ length: 100_000 }, (_, index) => index));
      const placement = await begin("transform", { expression: "$", each: true }, { live: { in: source } });
      const emissions = iterate(placement);
      expect((await emissions.next()).value).toMatchObject({ value: 0 });
      expect(source.taken).toBeLessThan(2_000);
      await emissions.return?.();
    });

    it("ends the attempt when its reader leaves, and lets go of live inputs", async () => {
      const source = new Source(Array.from({ length: 100_000 }, (_, index) => index));
      const placement = await begin("transform", { expression: "$", each: true }, { live: { in: source } });
      const emissions = iterate(placement);
      await emissions.next();
      await emissions.return?.();
      expect(source.ended).toBe(true);
      expect((await emissions.next()).done).toBe(true);
    });

    it("fails the attempt with the node's own error: code, message and whether it may be tried again", async () => {
      const failure = all(await begin("transform", { expression: '$error("no")' }, { inputs: {} }));
      const error = await failure.catch((cause: unknown) => cause);
      expect(error).toMatchObject({ code: "EXPRESSION_ERROR", retryable: false });
      expect((error as Error).message).toContain("no");
    });

    it("fails the attempt with an error of its live input", async () => {
      const source = new Source([1], new NodeflowError("UPSTREAM_ERROR", "gone"));
      const placement = await begin("transform", { expression: "$", each: true }, { live: { in: source } });
      await expect(all(placement)).rejects.toMatchObject({ code: "UPSTREAM_ERROR" });
    });

    it("ends an attempt that is aborted while it waits", async () => {
      const abort = new AbortController();
      const placement = await begin("delay", { ms: 60_000 }, { inputs: { in: [1] }, abort });
      const ended = all(placement).catch((cause: unknown) => cause);
      abort.abort(new NodeflowError("PEER_LOST", "aborted"));
      expect(await ended).toBeInstanceOf(Error);
    });

    it("runs attempts beside each other", async () => {
      const { runner, types } = await create();
      const numbers = [1, 2, 3, 4, 5];
      const results = numbers.map(async (value) =>
        all(await runner.start(taskOf(types, "constant", { value }, { path: `n${value}` }))),
      );
      expect(await Promise.all(results)).toEqual(numbers.map((value) => [value]));
    });
  });
}

/** A live input of items that knows how far it has been read. */
class Source implements LiveInput {
  readonly kind = "items";
  readonly #items: readonly Value[];
  readonly #error: Error | undefined;
  taken = 0;
  ended = false;

  constructor(items: readonly Value[], error?: Error) {
    this.#items = items;
    this.#error = error;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Value, void, undefined> {
    try {
      for (const item of this.#items) {
        this.taken += 1;
        yield item;
      }
      if (this.#error) throw this.#error;
    } finally {
      this.ended = true;
    }
  }
}

function taskOf(types: NodeTypes, type: string, data: unknown, options: TaskOptions): Task {
  const node = types.get(type);
  if (!node) throw new RangeError(`no type ${type}`);
  const signal = (options.abort ?? new AbortController()).signal;
  const refused = () => {
    throw new NodeflowError("INTERNAL", "not in this suite");
  };
  const context: NodeContext = {
    data: node.data.parse(data),
    path: options.path ?? "node",
    attempt: 1,
    inputs: options.inputs ?? {},
    live: options.live ?? {},
    signal,
    seed: "seed",
    idempotencyKey: "key",
    executionId: "run",
    caller: "",
    runtime: "node",
    progress() {},
    log() {},
    sleep: (ms) => sleep(ms, signal),
    turn: () => sleep(0, signal),
    waitFor: (promise) => promise,
    connection: async () => ({ [Symbol.dispose]() {} }),
    secret: refused,
    traceparent: undefined,
    ask: refused,
    run: refused,
  };
  return { node, placeable: true, placement: "any", cost: node.cost, context };
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

function iterate({ emissions }: Placement): AsyncIterator<Emission> | Iterator<Emission> {
  return Symbol.asyncIterator in emissions ? emissions[Symbol.asyncIterator]() : emissions[Symbol.iterator]();
}

async function all({ emissions }: Placement): Promise<Value[]> {
  const values: Value[] = [];
  for await (const emission of emissions) values.push(emission.value);
  return values;
}

async function release(placement: Placement): Promise<void> {
  await iterate(placement).return?.();
}
