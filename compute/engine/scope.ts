import type { NodeflowError, Steps, Value } from "../../protocol/index.ts";
import type { Timer } from "./clock.ts";
import { NodeRun } from "./node-run.ts";
import type { NestedResult } from "./node-type.ts";
import { Cursor } from "./output.ts";
import type { AttemptPart, Foregone, NodePart, RunPart, ScopeEnd, ScopePart } from "./parts.ts";
import type { Plan, PlanEdge, PlanNode } from "./plan.ts";

/** A node with more edges than this tells them in steps. */
const MANY = 256;

/** A workflow being run once: the whole run at the top, one item or iteration in a container. */
export class Scope implements ScopePart {
  readonly run: RunPart;
  readonly plan: Plan;
  readonly prefix: string;
  readonly inputs: Readonly<Record<string, Value>>;
  readonly container: AttemptPart | null;
  readonly reuses: boolean;
  readonly repeats: boolean;
  readonly #nodes: (NodeRun | undefined)[];
  #cursors: (Cursor | undefined)[] | null = null;
  readonly #end: ScopeEnd;
  readonly #timers = new Set<Timer>();
  #unfinished: number;
  over = false;

  constructor(
    run: RunPart,
    plan: Plan,
    prefix: string,
    inputs: Readonly<Record<string, Value>>,
    container: AttemptPart | null,
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
    this.#nodes = new Array(plan.nodes.length);
  }

  node(index: number): NodeRun {
    const existing = this.#nodes[index];
    if (existing) return existing;
    const node = new NodeRun(this.plan.nodes[index] as PlanNode, this);
    this.#nodes[index] = node;
    return node;
  }

  cursor(edge: PlanEdge): Cursor {
    this.#cursors ??= [];
    const existing = this.#cursors[edge.live];
    if (existing) return existing;
    const target = this.node(edge.target);
    const cursor = new Cursor(() => target.known());
    this.#cursors[edge.live] = cursor;
    return cursor;
  }

  begin(foregone: ((node: PlanNode) => Foregone) | null): void {
    this.run.perform(this.#begin(foregone));
  }

  /** In steps, since a workflow may have 100,000 nodes. */
  *#begin(foregone: ((node: PlanNode) => Foregone) | null): Steps<void> {
    if (this.over) return;
    if (foregone) yield* this.#forego(foregone);
    for (const index of this.plan.starts) {
      if (this.over) return;
      const node = this.node(index);
      if (node.state === "waiting") node.decide();
      yield;
    }
    if (this.plan.nodes.length === 0) this.#complete();
  }

  /** Tells what is known beforehand. All of it is noted first, so that nothing of it is decided by what is told. */
  *#forego(foregone: (node: PlanNode) => Foregone): Steps<void> {
    const known: [NodeRun, NonNullable<Foregone>][] = [];
    for (const plan of this.plan.nodes) {
      const what = foregone(plan);
      yield;
      if (this.over) return;
      if (!what) continue;
      const node = this.node(plan.index);
      node.state = "foregone";
      known.push([node, what]);
    }
    for (const [node, what] of known) {
      if (this.over) return;
      if (typeof what === "string") node.skip(what);
      else node.reuse(what);
      yield;
    }
  }

  skips(edge: PlanEdge): boolean {
    const source = this.node(edge.source);
    return source.done && !(source.state === "completed" && source.existing(edge.output)?.taken);
  }

  valueOf(edge: PlanEdge): Value {
    return this.node(edge.source).outputAt(edge.output).fold();
  }

  inputOf(input: { readonly name: string; readonly default?: Value }): Value {
    return Object.hasOwn(this.inputs, input.name)
      ? (this.inputs[input.name] ?? null)
      : (input.default ?? null);
  }

  nodeDone(node: NodePart): void {
    if (node.plan.outputs.some((output) => output.edges.length > MANY))
      this.run.perform(this.#tellMany(node));
    else this.#tell(node);
  }

  #tell(node: NodePart): void {
    for (const output of node.plan.outputs) {
      for (const edge of output.edges) this.node(edge.target).sourceDone(edge);
    }
    this.#letGo(node);
  }

  /** The same in steps. */
  *#tellMany(node: NodePart): Steps<void> {
    for (const output of node.plan.outputs) {
      for (const edge of output.edges) {
        if (this.over) return;
        this.node(edge.target).sourceDone(edge);
        yield;
      }
    }
    this.#letGo(node);
  }

  /** Counts who is still to read what: the node's own outputs, and what it has read. At none, values are let go. */
  #letGo(node: NodePart): void {
    for (const [index, { edges }] of node.plan.outputs.entries()) {
      const output = node.existing(index);
      if (!output) continue;
      let readers = 0;
      for (const edge of edges) if (!this.node(edge.target).done) readers += 1;
      output.readers = readers;
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

  later(ms: number, callback: () => void): void {
    this.hold();
    const timer = this.run.clock.setTimer(() => {
      this.#timers.delete(timer);
      callback();
      this.unhold();
    }, ms);
    this.#timers.add(timer);
  }

  hold(): void {
    this.run.scheduler.hold();
    this.container?.seat.inside(1);
  }

  unhold(): void {
    this.container?.seat.inside(-1);
    this.run.scheduler.unhold();
  }

  fail(error: NodeflowError): void {
    if (this.over) return;
    this.abort(error);
    this.#end.failed(error);
  }

  abort(reason: unknown): void {
    if (this.over) return;
    this.over = true;
    for (const timer of this.#timers) {
      timer.cancel();
      this.unhold();
    }
    this.#timers.clear();
    for (const node of this.#nodes) {
      if (!node) continue;
      const { attempt } = node;
      node.attempt = null;
      node.state = node.done ? node.state : "failed";
      attempt?.abort(reason);
      node.withdrawOutputs();
      this.run.failing.delete(node);
    }
  }

  #complete(): void {
    if (this.over) return;
    this.over = true;
    this.#end.completed(this);
  }

  outputs(): Record<string, Value> {
    const outputs: Record<string, Value> = {};
    for (const { index, output } of this.plan.outputs) {
      const node = this.node(index);
      if (output && node.state === "completed") outputs[output.name] = node.result ?? null;
    }
    return outputs;
  }

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
