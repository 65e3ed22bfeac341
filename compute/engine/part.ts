import type { Value } from "../../protocol/index.ts";
import type { LiveInput, Nested, NodeContext, NodeType, Placement, Question, Runtime } from "./node-type.ts";
import type { Runner } from "./runner.ts";

/** Has another type compute one value as a part of an attempt, wherever the runner has nodes of its cost run. */
export async function computePart(
  whole: NodeContext,
  type: NodeType,
  data: unknown,
  inputs: Readonly<Record<string, Value>>,
  runner: Runner,
): Promise<Value | undefined> {
  const context = new PartContext(whole, data, inputs);
  const cost = type.costOf?.(data, inputs) ?? type.cost;
  const { emissions }: Placement = await runner.start({
    node: type,
    placeable: true,
    placement: "any",
    cost,
    context,
  });
  for await (const { value } of emissions) return value;
  return undefined;
}

/** The context of an attempt, with data and inputs of its own. */
class PartContext implements NodeContext {
  readonly data: unknown;
  readonly inputs: Readonly<Record<string, Value>>;
  readonly live: Readonly<Record<string, LiveInput>> = {};
  readonly #whole: NodeContext;

  constructor(whole: NodeContext, data: unknown, inputs: Readonly<Record<string, Value>>) {
    this.#whole = whole;
    this.data = data;
    this.inputs = inputs;
  }

  get path(): string {
    return this.#whole.path;
  }
  get attempt(): number {
    return this.#whole.attempt;
  }
  get executionId(): string {
    return this.#whole.executionId;
  }
  get signal(): AbortSignal {
    return this.#whole.signal;
  }
  get seed(): string {
    return this.#whole.seed;
  }
  get idempotencyKey(): string {
    return this.#whole.idempotencyKey;
  }
  get runtime(): Runtime {
    return this.#whole.runtime;
  }
  get caller(): string {
    return this.#whole.caller;
  }
  get traceparent(): string | undefined {
    return this.#whole.traceparent;
  }
  progress(completed: number, total?: number, message?: string): void {
    this.#whole.progress(completed, total, message);
  }
  log(level: "debug" | "info" | "warn" | "error", message: string): void {
    this.#whole.log(level, message);
  }
  sleep(ms: number): Promise<void> {
    return this.#whole.sleep(ms);
  }
  turn(): Promise<void> {
    return this.#whole.turn();
  }
  waitFor<T>(promise: Promise<T>): Promise<T> {
    return this.#whole.waitFor(promise);
  }
  connection(): Promise<Disposable> {
    return this.#whole.connection();
  }
  secret(name: string, origin: string): string {
    return this.#whole.secret(name, origin);
  }
  ask(question: Question): Promise<Value> {
    return this.#whole.ask(question);
  }
  run(): Nested {
    throw new TypeError("A part of an attempt runs no workflow");
  }
}
