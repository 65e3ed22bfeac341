import { z } from "zod";
import type { InputInfo, NodeTypeInfo } from "../../../protocol/index.ts";
import type { Handles, InputSpec, NodeType } from "../../engine/index.ts";
import { sample } from "./sample.ts";

/** Any other handle name, as in `Handles.inputs`. */
const ANY = "*";

/** JSON Schema of what callers write. What a schema can't say (refinements, any value) is left out of it. */
export function jsonSchema(schema: z.ZodType): Readonly<Record<string, unknown>> {
  return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Record<string, unknown>;
}

/** A node type as `GET /capabilities` tells it. */
export function describeNodeType(type: NodeType): NodeTypeInfo {
  const data = jsonSchema(type.data);
  return {
    type: type.type,
    description: type.description,
    ...describeHandles(type, data),
    data,
    effect: type.strongest,
    cost: type.cost,
  };
}

/**
 * Handles can depend on a node's data. They are asked for with two samples of it that differ in their words: names that both
 * have are the type's own, names of only one come from the data and are told as `*`.
 */
function describeHandles(
  type: NodeType,
  schema: Readonly<Record<string, unknown>>,
): Pick<NodeTypeInfo, "inputs" | "outputs"> {
  const one = handlesOf(type, sample(schema, "a"));
  const other = handlesOf(type, sample(schema, "b"));
  if (!one || !other) return { inputs: { [ANY]: {} }, outputs: { [ANY]: "value" } };
  const inputs = Object.entries(shared(one.inputs, other.inputs)).map(([name, spec]) => [
    name,
    inputInfo(spec),
  ]);
  return { inputs: Object.fromEntries(inputs), outputs: shared(one.outputs, other.outputs) };
}

function inputInfo({ required, many, first, live, accepts }: InputSpec): InputInfo {
  return {
    ...(required && { required }),
    ...((many || first) && { many: true }),
    ...(live && { live: [...live] }),
    ...(accepts && { accepts: [...accepts] }),
  };
}

function handlesOf(type: NodeType, data: unknown): Handles | undefined {
  try {
    return type.handles(type.data.parse(data));
  } catch {
    // The sample wasn't what this type takes; nothing is known of its handles then.
    return undefined;
  }
}

function shared<T>(one: Readonly<Record<string, T>>, other: Readonly<Record<string, T>>): Record<string, T> {
  const entries = Object.entries(one);
  const own = entries.filter(([name]) => Object.hasOwn(other, name));
  const fromData = entries.find(([name]) => !Object.hasOwn(other, name));
  return Object.fromEntries(fromData ? [...own, [ANY, fromData[1]]] : own);
}
