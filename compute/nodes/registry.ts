import type { NodeType, NodeTypes } from "../engine/index.ts";
import { constant } from "./constant.ts";
import { delay } from "./delay.ts";
import { input } from "./input.ts";
import { loop } from "./loop.ts";
import { map } from "./map.ts";
import { merge } from "./merge.ts";
import { output } from "./output.ts";
import { range } from "./range.ts";
import { subflow } from "./subflow.ts";
import { switchNode } from "./switch.ts";
import { template } from "./template.ts";
import { tool } from "./tool.ts";
import { transform } from "./transform.ts";

/** The node types of an embedder, or any others, by their names. Of two with one name the later wins. */
export function nodeTypes(...types: readonly (NodeType | NodeTypes)[]): NodeTypes {
  const byName = new Map<string, NodeType>();
  for (const entry of types) {
    if (entry instanceof Map) for (const type of entry.values()) byName.set(type.type, type);
    else byName.set((entry as NodeType).type, entry as NodeType);
  }
  return byName;
}

/** Every node type that comes with the engine. A new one is one file and one line here. */
export const builtinNodes: NodeTypes = nodeTypes(
  input,
  output,
  constant,
  template,
  transform,
  range,
  delay,
  switchNode,
  merge,
  map,
  loop,
  subflow,
  tool,
);
