import type { NodeflowError, SkipReason, Value } from "../../protocol/index.ts";
import type { Attempt } from "./attempt.ts";
import type { Timer } from "./clock.ts";
import { own } from "./graph.ts";
import { NodeRun } from "./node-run.ts";
import type { NestedResult } from "./node-type.ts";
import { Cursor } from "./output.ts";
import type { Plan, PlanEdge } from "./plan.ts";
import type { Run } from "./run.ts";

/** What becomes of a scope is somebody's to hear: the run's for the top, a container's for what is nested. */
export interface ScopeEnd {
  completed(scope: Scope): void;
  failed(scope: Scope, error: NodeflowError): void;
}

/** A workflow being run once: the whole run at the top, one item or iteration in a container. */
export class Scope {
  readonly run: Run;
  readonly plan: Plan;
  /** What the paths of its nodes begin with: empty, or the container's or scope's path and a slash. */
  readonly prefix: string;
  readonly inputs: Readonly<Record<string, Value>>;
  /** The attempt of the container that it is in. */
  readonly container: Attempt | null;
  /** Whether results of an earlier run may stand for nodes in it. */
  readonly reuses: boolean;
  /** Whether its container may start again: then starts are counted over all its attempts. */
  readonly repeats: boolean;
  readonly #nodes: NodeRun[];
  readonly #cursors: Cursor[] = [];
  readonly #end: ScopeEnd;
  readonly #timers = new Set<Timer>();
  #unfinished: number;
  #over = false;

  constructor(
    run: Run,
    plan: Plan,
    prefix: string,
    inputs: Readonly<Record<string, Value>>,
    container: Attempt | null,
    reuses: boolean,
    end: ScopeEnd,
  ) {
    this.run = run;
    this.plan = plan;
    this.prefix = prefix;
    this.inputs = inputs;
    this.container = container;
    this.reuses = reuses;
    this.repeats = container !== null && (container.node.plan.restarts || container.node.scope.repeats);
    this.#end = end;
    this.#unfinished = plan.nodes.length;
    this.#nodes = plan.nodes.map((node) => new NodeRun(node, this));
    if (plan.liveEdges > 0) {
      for (const node of this.#nodes) {
        for (const edge of node.plan.liveInputs) this.#cursors[edge.live] = new Cursor(() => node.known());
      }
    }
  }

  node(index: number): NodeRun {
    return this.#nodes[index] as NodeRun;
  }

  cursor(live: number): Cursor {
    return this.#cursors[live] as Cursor;
  }

  get nodes(): readonly NodeRun[] {
    return this.#nodes;
  }

  /** Starts whatever waits for nothing. `first` says of a node what is already known of it. */
  begin(first: (node: NodeRun) => Readonly<Record<string, Value>> | SkipReason | null): void {
    if (this.#unfinished === 0) {
      this.#complete();
      return;
    }
    for (const node of this.#nodes) {
      const known = first(node);
      if (typeof known === "string") node.skip(known);
      else if (known) node.reuse(known);
    }
    for (const node of this.#nodes) if (node.unknown === 0 && node.state === "waiting") node.decide();
  }

  /** Whether nothing comes over an edge whose source is done. */
  skips(edge: PlanEdge): boolean {
    const source = this.node(edge.source);
    return source.done && !(source.state === "completed" && source.taken(edge.output));
  }

  /** What a settled edge carries. */
  valueOf(edge: PlanEdge): Value {
    return this.node(edge.source).outputAt(edge.output).fold();
  }

  inputOf(input: { readonly name: string; readonly default?: Value }): Value {
    return own(this.inputs, input.name) ?? input.default ?? null;
  }

  /** A node is done: tells its targets, and lets go of what nobody will read any more. */
  nodeDone(node: NodeRun): void {
    for (const output of node.plan.outputs) {
      for (const edge of output.edges) this.node(edge.target).sourceDone(edge);
    }
    for (const [index, { edges }] of node.plan.outputs.entries()) {
      const output = node.existing(index);
      if (output)
        output.readers = edges.reduce((sum, edge) => sum + (this.node(edge.target).done ? 0 : 1), 0);
    }
    for (const input of node.plan.inputs) {
      for (const edge of input.edges) {
        const source = this.node(edge.source);
        const output = source.done ? source.existing(edge.output) : null;
        if (output) output.readers -= 1;
      }
    }
    this.#unfinished -= 1;
    if (this.#unfinished === 0) this.#complete();
  }

  /** Calls back after a delay, unless the scope is over by then. */
  later(ms: number, callback: () => void): void {
    const { clock, scheduler } = this.run;
    scheduler.hold();
    const timer = clock.setTimer(() => {
      this.#timers.delete(timer);
      callback();
      scheduler.unhold();
    }, ms);
    this.#timers.add(timer);
  }

  /** A node's failure was not handled: the whole scope has failed. */
  fail(error: NodeflowError): void {
    if (this.#over) return;
    this.abort(error);
    this.#end.failed(this, error);
  }

  /** Ends everything in it, without a word. */
  abort(reason: unknown): void {
    if (this.#over) return;
    this.#over = true;
    for (const timer of this.#timers) {
      timer.cancel();
      this.run.scheduler.unhold();
    }
    this.#timers.clear();
    for (const node of this.#nodes) {
      const { attempt } = node;
      node.attempt = null;
      node.state = node.done ? node.state : "failed";
      attempt?.abort(reason);
    }
  }

  #complete(): void {
    if (this.#over) return;
    this.#over = true;
    this.#end.completed(this);
  }

  /** The values of the output nodes that were not skipped, by name. */
  outputs(): Record<string, Value> {
    const outputs: Record<string, Value> = {};
    for (const { index, output } of this.plan.outputs) {
      const node = this.node(index);
      if (output && node.state === "completed") outputs[output.name] = node.result ?? null;
    }
    return outputs;
  }

  /** What the scope gives its container. */
  result(): NestedResult {
    const { outputs } = this.plan;
    const values = this.outputs();
    const [only] = outputs;
    if (outputs.length === 0) return { skipped: false, value: null };
    if (outputs.length > 1 || !only?.output) return { skipped: false, value: values };
    const { name } = only.output;
    return Object.hasOwn(values, name) ? { skipped: false, value: values[name] as Value } : { skipped: true };
  }
}
