import type { NodeflowError, Steps, Value } from "../../protocol/index.ts";
import type { Timer } from "./clock.ts";
import { NodeRun } from "./node-run.ts";
import type { NestedResult } from "./node-type.ts";
import { Cursor } from "./output.ts";
import type { AttemptPart, Foregone, NodePart, RunPart, ScopeEnd, ScopePart } from "./parts.ts";
import type { Plan, PlanEdge } from "./plan.ts";

/** A workflow being run once: the whole run at the top, one item or iteration in a container. */
export class Scope implements ScopePart {
  readonly run: RunPart;
  readonly plan: Plan;
  readonly prefix: string;
  readonly inputs: Readonly<Record<string, Value>>;
  readonly container: AttemptPart | null;
  readonly reuses: boolean;
  readonly repeats: boolean;
  readonly #nodes: NodeRun[] = [];
  readonly #cursors: Cursor[] = [];
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
  }

  node(index: number): NodeRun {
    return this.#nodes[index] as NodeRun;
  }

  cursor(live: number): Cursor {
    return this.#cursors[live] as Cursor;
  }

  begin(foregone: (node: NodePart) => Foregone): void {
    this.run.perform(this.#begin(foregone));
  }

  /** In steps, since a workflow may have 100,000 nodes. */
  *#begin(foregone: (node: NodePart) => Foregone): Steps<void> {
    for (const plan of this.plan.nodes) {
      const node = new NodeRun(plan, this);
      this.#nodes.push(node);
      for (const edge of plan.liveInputs) this.#cursors[edge.live] = new Cursor(() => node.known());
      yield;
    }
    // All of them before any is told: what is foregone is not to be decided by what is told of its sources.
    const known: [NodeRun, NonNullable<Foregone>][] = [];
    for (const node of this.#nodes) {
      const what = foregone(node);
      if (!what) continue;
      node.state = "foregone";
      known.push([node, what]);
      yield;
    }
    for (const [node, what] of known) {
      if (this.over) return;
      if (typeof what === "string") node.skip(what);
      else node.reuse(what);
      yield;
    }
    for (const node of this.#nodes) {
      if (this.over) return;
      if (node.plan.unknown === 0 && node.state === "waiting") node.decide();
      yield;
    }
    if (this.#nodes.length === 0) this.#complete();
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
