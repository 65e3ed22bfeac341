import type { Kind, Policy } from "../../protocol/index.ts";
import type { GraphNode } from "./graph.ts";
import type { Cost, Effect, InputSpec, NodeType } from "./node-type.ts";

/**
 * A graph, laid out for running: nodes in topological order and by number, edges resolved to them, and everything that
 * is the same for each run decided. Shared by all scopes and never changed.
 */
export interface Plan {
  readonly nodes: readonly PlanNode[];
  readonly edges: number;
  readonly liveEdges: number;
  readonly outputs: readonly PlanNode[];
  /** Nodes that wait for nothing. */
  readonly starts: readonly number[];
  /** Edges that could be live but are read as settled, because reading them live could block the run for ever. */
  readonly notes: readonly string[];
}

export interface PlanNode {
  /** Its place in the plan: sources come before their targets. */
  readonly index: number;
  readonly id: string;
  readonly type: NodeType;
  readonly data: unknown;
  readonly policy: Policy;
  readonly effect: Effect;
  readonly cost: Cost;
  readonly nested: { readonly plan: Plan; readonly inputs: readonly string[] | "handles" } | null;
  readonly input: GraphNode["input"];
  readonly output: GraphNode["output"];
  readonly inputs: readonly PlanInput[];
  readonly outputs: readonly PlanOutput[];
  /** Where outputs stand, by handle, if they are many. */
  readonly outputNumbers: ReadonlyMap<string, number> | null;
  readonly liveInputs: readonly PlanEdge[];
  /** Whether it can start again after it has started. */
  readonly restarts: boolean;
  /** Whether what it has emitted can turn out never to have been. */
  readonly withdraws: boolean;
  /** What must be known before it can be decided whether the node runs: edges, a `first` input counting once. */
  readonly unknown: number;
}

export interface PlanInput {
  readonly handle: string;
  readonly spec: InputSpec;
  /** In order of the workflow's `edges`. */
  readonly edges: readonly PlanEdge[];
}

export interface PlanOutput {
  readonly handle: string;
  readonly kind: Kind;
  readonly edges: readonly PlanEdge[];
  readonly liveEdges: readonly PlanEdge[];
  /** Whether its fold must be kept: someone reads it settled, or may have to read it again from the beginning. */
  readonly kept: boolean;
}

export interface PlanEdge {
  /** Its place in the posted `edges`. */
  readonly position: number;
  readonly source: number;
  readonly output: number;
  readonly target: number;
  readonly input: PlanInput;
  /** Number among the live edges, or -1 for a settled edge. */
  readonly live: number;
}
