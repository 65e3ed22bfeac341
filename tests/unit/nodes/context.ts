import type {
  Emission,
  LiveInput,
  Nested,
  NestedResult,
  NestedRun,
  NodeContext,
  NodeType,
  Question,
} from "../../../compute/engine/index.ts";
import { builtinNodes } from "../../../compute/nodes/index.ts";
import type { Kind, Value } from "../../../protocol/index.ts";

/** What a test gives a node, and what it wants to know of it. */
export interface Setup {
  readonly data?: unknown;
  readonly inputs?: Readonly<Record<string, Value>>;
  readonly live?: Readonly<Record<string, LiveInput>>;
  readonly seed?: string;
  readonly signal?: AbortSignal;
  readonly run?: (nested: NestedRun) => Nested;
  readonly ask?: (question: Question) => Promise<Value>;
  readonly sleep?: (ms: number) => Promise<void>;
  readonly progress?: (completed: number, total?: number) => void;
}

export function typeOf(name: string): NodeType {
  const type = builtinNodes.get(name);
  if (type === undefined) throw new Error(`There is no node type ${name}`);
  return type;
}

/** What the schema of a type makes of posted data. */
export function dataOf(name: string, data: unknown): unknown {
  return typeOf(name).data.parse(data);
}

/** What is wrong with posted data, as `path: message`, in order. */
export function problemsOf(name: string, data: unknown): string[] {
  const result = typeOf(name).data.safeParse(data);
  return result.success
    ? []
    : result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
}

function unexpected(what: string): never {
  throw new Error(`The node was not expected to ${what}`);
}

/** The engine's part of a context. A class, since the engine's is one: its methods can't be taken off it. */
class Context implements NodeContext {
  readonly path = "node";
  readonly attempt = 1;
  readonly idempotencyKey = "key";
  readonly executionId = "run";
  readonly caller = "";
  readonly runtime = "node";
  readonly data: unknown;
  readonly #setup: Setup;

  constructor(type: string, setup: Setup) {
    this.#setup = setup;
    this.data = dataOf(type, setup.data ?? {});
  }
  get inputs() {
    return this.#setup.inputs ?? {};
  }
  get live() {
    return this.#setup.live ?? {};
  }
  get signal() {
    return this.#setup.signal ?? new AbortController().signal;
  }
  get seed() {
    return this.#setup.seed ?? "seed";
  }
  progress(completed: number, total?: number) {
    this.#setup.progress?.(completed, total);
  }
  log() {}
  async sleep(ms: number) {
    await (this.#setup.sleep?.(ms) ?? new Promise<void>((resolve) => setImmediate(resolve)));
  }
  turn() {
    return new Promise<void>((resolve) => setImmediate(resolve));
  }
  waitFor<T>(promise: Promise<T>) {
    return promise;
  }
  connection(): Promise<Disposable> {
    return unexpected("call out");
  }
  secret(): string {
    return unexpected("reveal a secret");
  }
  get traceparent() {
    return undefined;
  }
  ask(question: Question) {
    return this.#setup.ask?.(question) ?? unexpected("ask");
  }
  run(nested: NestedRun) {
    return this.#setup.run?.(nested) ?? unexpected("run a workflow");
  }
}

/** The emissions of one attempt. */
export function execute(type: string, setup: Setup = {}): AsyncIterable<Emission> | Iterable<Emission> {
  return typeOf(type).execute(new Context(type, setup));
}

/** All emissions of one attempt. */
export async function emissionsOf(type: string, setup: Setup = {}): Promise<Emission[]> {
  const emissions: Emission[] = [];
  for await (const emission of execute(type, setup)) emissions.push(emission);
  return emissions;
}

/** The values of all emissions on one handle. */
export async function valuesOf(type: string, setup: Setup = {}, handle = "out"): Promise<Value[]> {
  const emissions = await emissionsOf(type, setup);
  return emissions.filter((emission) => (emission.handle ?? "out") === handle).map(({ value }) => value);
}

/** A live input that gives these values. */
export function live(kind: Kind, values: Iterable<Value> | AsyncIterable<Value>): LiveInput {
  return {
    kind,
    async *[Symbol.asyncIterator]() {
      yield* values;
    },
  };
}

/** A nested run that has, or comes to, a result. */
export function nested(
  result: NestedResult | Promise<NestedResult>,
  more: { readonly outputs?: Readonly<Record<string, Value>>; readonly reused?: boolean } = {},
): Nested {
  return { result: Promise.resolve(result), outputs: more.outputs ?? {}, reused: more.reused ?? false };
}

export const gave = (value: Value): NestedResult => ({ skipped: false, value });
export const skipped: NestedResult = { skipped: true };

/** The value itself, frozen through and through: whoever changes it throws. */
export function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null && !(value instanceof Uint8Array)) {
    for (const inner of Object.values(value)) frozen(inner);
    Object.freeze(value);
  }
  return value;
}

/** The workflow of a container, where only its shape matters. */
export const workflow = { nodes: [], edges: [] };
