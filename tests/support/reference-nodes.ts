import jsonata from "jsonata";
import type { Kind, Value, WorkflowNode } from "../../protocol/index.ts";
import { baseOf, joined, piece } from "./nodes.ts";
import { dataOf } from "./shape.ts";
import { weigh } from "./weigh.ts";

/** A node has failed, with whichever of these codes came first. What follows is what single nodes make of inputs. */
export class Failure extends Error {
  readonly codes: ReadonlySet<string>;
  constructor(...codes: readonly string[]) {
    super(codes.join());
    this.codes = new Set(codes);
  }
}

interface Retried {
  readonly retry?: { readonly maxAttempts: number };
}

export function elements(value: Value, kind: Kind | undefined): readonly Value[] {
  if (kind === "text" || kind === "bytes") return [value];
  if (value === null) return [];
  return Array.isArray(value) ? value : [value];
}

export function range({ from = 0, to, step = 1 }: { from?: number; to: number; step?: number }): number[] {
  const numbers: number[] = [];
  for (let n = 0; step > 0 ? from + n * step <= to : from + n * step >= to; n += 1)
    numbers.push(from + n * step);
  return numbers;
}

export async function expression(source: string, root: Value, bindings: Readonly<Record<string, Value>>) {
  try {
    const result: unknown = await jsonata(source).evaluate(root, { ...bindings });
    return result === undefined ? undefined : (JSON.parse(JSON.stringify(result)) as Value);
  } catch {
    throw new Failure("EXPRESSION_ERROR");
  }
}

export async function transform(
  data: Readonly<Record<string, unknown>>,
  inputs: Readonly<Record<string, Value>>,
  kind: Kind | undefined,
): Promise<Value> {
  const source = String(data["expression"]);
  const { in: root = null, ...bindings } = inputs;
  if (data["each"] !== true) return (await expression(source, root, bindings)) ?? null;
  const results: Value[] = [];
  for (const item of elements(root, kind)) {
    const result = await expression(source, item, bindings);
    if (result !== undefined) results.push(result);
  }
  return results;
}

export function template(text: string, inputs: Readonly<Record<string, Value>>): string {
  return text.replaceAll(/\{\{\s*([^}]*?)\s*\}\}/g, (_, reference: string) => {
    let value: unknown = inputs;
    for (const key of reference.split(".")) {
      if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) {
        throw new Failure("EXPRESSION_ERROR");
      }
      value = (value as Record<string, unknown>)[key];
    }
    return typeof value === "string" ? value : JSON.stringify(value);
  });
}

interface TestData {
  readonly kind: Kind;
  readonly count: number;
  readonly offset: number;
  readonly take?: number;
  readonly failures: number;
  readonly fault: string;
  readonly modulus: number;
  readonly remainder: number;
}
const TEST_DEFAULTS = { count: 3, offset: 0, failures: 0, fault: "error", modulus: 2, remainder: 0 };
const MODULUS = 997;

export function runTestNode(
  node: WorkflowNode,
  inputs: Readonly<Record<string, Value>>,
  kinds: Readonly<Record<string, Kind>>,
): Record<string, Value> {
  const data = { ...TEST_DEFAULTS, ...dataOf(node) } as TestData;
  const attempts = ((node.policy ?? {}) as Retried).retry?.maxAttempts ?? 1;
  if (data.failures > 0 && (data.failures >= attempts || data.fault === "fatal")) {
    throw new Failure(data.fault === "hang" ? "NODE_TIMEOUT" : "NODE_FAILED");
  }
  const input = inputs["in"];
  switch (node.type) {
    case "test-source": {
      const base = baseOf(input);
      const numbers = Array.from({ length: data.count }, (_, n) => (base + n + data.offset) % MODULUS);
      return emitted(data.kind, numbers);
    }
    case "test-relay": {
      const from = kinds["in"];
      if (from === data.kind && from !== "items") return { out: input as Value };
      const add = data.offset + (inputs["side"] === undefined ? 0 : weigh(inputs["side"]));
      const read = from === "items" ? (input as readonly Value[]) : [input as Value];
      const whole = from === "text" || from === "bytes";
      const taken = data.take === undefined || whole ? read : read.slice(0, data.take);
      return emitted(
        data.kind,
        taken.map((value) => (weigh(value) + add) % MODULUS),
      );
    }
    case "test-gather":
      return { out: input as Value };
    case "test-join":
      return { out: weigh(inputs) };
    case "test-gate":
      return { [weigh(input) % data.modulus === data.remainder ? "yes" : "no"]: input as Value };
    default:
      throw new RangeError(`no reference for nodes of type ${node.type}`);
  }
}

/** The fold of what a test node emits for these numbers. */
function emitted(kind: Kind, numbers: readonly number[]): Record<string, Value> {
  const pieces = numbers.map((number) => piece(kind, number));
  if (kind !== "value") return { out: joined(kind, pieces) };
  const last = pieces.at(-1);
  return last === undefined ? {} : { out: last };
}
