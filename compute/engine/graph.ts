import type { Policy, Value } from "../../protocol/index.ts";
import type { Effect, Handles, InputSpec, NodeType } from "./node-type.ts";

/** A workflow that can run: decoration dropped, defaults filled in, every reference resolved. */
export interface Graph {
  /** In topological order, as far as there is one. */
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** A node whose type is known and whose data fit it. */
export interface GraphNode {
  readonly id: string;
  /** Its place in the posted `nodes`. */
  readonly position: number;
  /** Its place in the topological order; -1 on a cycle or behind one. */
  index: number;
  readonly type: NodeType;
  readonly data: unknown;
  readonly policy: Policy;
  readonly handles: Handles;
  readonly effect: Effect;
  readonly nested: NestedGraph | null;
  readonly input: { readonly name: string; readonly default?: Value } | null;
  readonly output: { readonly name: string } | null;
  /** Stands for a node with issues of its own, so that what is wrong around it can be told as well. */
  readonly faulty: boolean;
  /** Edges that end here, in order of the posted `edges` … */
  readonly in: GraphEdge[];
  /** … and edges that begin here. */
  readonly out: GraphEdge[];
}

/** What is inside a container. */
export interface NestedGraph {
  readonly graph: Graph;
  /** What it is given, as its type declares it. */
  readonly inputs: readonly string[] | "handles";
  /** The names of its inputs. */
  readonly names: ReadonlySet<string>;
}

export interface GraphEdge {
  /** Its place in the posted `edges`. */
  readonly position: number;
  readonly source: GraphNode;
  readonly target: GraphNode;
  readonly sourceHandle: string;
  readonly targetHandle: string;
  readonly spec: InputSpec;
}

/** The value under a name, where the object itself has it. */
export function own<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record && Object.hasOwn(record, name) ? record[name] : undefined;
}
