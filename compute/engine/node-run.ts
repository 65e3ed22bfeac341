import { NodeflowError, type SkipReason, type Value } from "../../protocol/index.ts";
import { Attempt } from "./attempt.ts";
import { flushText } from "./emit.ts";
import { type Handling, handleFailure } from "./failure.ts";
import { Output } from "./output.ts";
import type { PlanEdge, PlanInput, PlanNode } from "./plan.ts";
import type { Runnable } from "./scheduler.ts";
import type { Scope } from "./scope.ts";

/**
 * `waiting` for inputs → `ready` → `running` → `finishing` (its iterator has returned; its live sources have not all
 * completed) → `completed`. Or, once its inputs are known: `skipping` → `skipped`. After a failure: `retrying` (until its
 * delay is over, then `waiting` or `ready`), or `finishing` with what `onError` says, then `completed` or `failed`.
 */
export type NodeState =
  | "waiting"
  | "ready"
  | "running"
  | "finishing"
  | "completed"
  | "retrying"
  | "skipping"
  | "skipped"
  | "failed";

const NO_OUTPUTS: (Output | null)[] = [];

/** One node of a scope, from waiting for its inputs to its last word. */
export class NodeRun implements Runnable {
  readonly plan: PlanNode;
  readonly scope: Scope;
  readonly path: string;
  /** Whether its outputs are sent to the reader. What is nested follows its container. */
  readonly sends: boolean;
  state: NodeState = "waiting";
  /** Inputs of which it isn't known yet whether there is something to read. */
  unknown: number;
  /** Live sources that have not completed. */
  openSources: number;
  /** Starts so far. */
  attempts = 0;
  /** Its own failures, those of its sources not counted. */
  failures = 0;
  attempt: Attempt | null = null;
  reason: SkipReason | null = null;
  /** How its final failure is handled, while it is finishing. */
  handling: Handling | null = null;
  /** Of an `output` node that has completed. */
  result: Value | undefined;
  #outputs: (Output | null)[] = NO_OUTPUTS;
  #decided: Set<PlanInput> | null = null;

  constructor(plan: PlanNode, scope: Scope) {
    this.plan = plan;
    this.scope = scope;
    this.path = scope.prefix + plan.id;
    this.sends = scope.container ? scope.container.node.sends : scope.run.sends(plan.id);
    this.unknown = plan.unknown;
    this.openSources = plan.liveInputs.length;
  }

  get needsSlot(): boolean {
    return this.state === "ready" && this.plan.nested === null;
  }

  /** Nothing more will happen to it. */
  get done(): boolean {
    return this.state === "completed" || this.state === "skipped" || this.state === "failed";
  }

  /** Started, and still to be withdrawn if a source is. */
  get started(): boolean {
    return this.state === "running" || this.state === "finishing";
  }

  // Outputs

  /** The output of a handle (default `out`), of the current attempt. */
  output(handle = "out"): Output {
    const { outputs } = this.plan;
    for (let index = 0; index < outputs.length; index++) {
      if (outputs[index]?.handle === handle) return this.outputAt(index);
    }
    throw new NodeflowError("NODE_FAILED", `The node emitted on "${handle}", which is not an output of it`, {
      retryable: false,
    });
  }

  outputAt(index: number): Output {
    if (this.#outputs === NO_OUTPUTS) this.#outputs = this.plan.outputs.map(() => null);
    const existing = this.#outputs[index];
    if (existing) return existing;
    const plan = this.plan.outputs[index];
    if (!plan) throw new RangeError(`Node ${this.path} has no output ${index}`);
    const output = new Output(plan, this.scope.run.retention);
    this.#outputs[index] = output;
    for (const edge of plan.liveEdges) {
      const cursor = this.scope.cursor(edge.live);
      if (!this.scope.node(edge.target).done) cursor.restart(output);
    }
    return output;
  }

  /** The output, if anything was emitted on it. */
  existing(index: number): Output | null {
    return this.#outputs[index] ?? null;
  }

  taken(index: number): boolean {
    return this.#outputs[index]?.taken === true;
  }

  /** Forgets what was emitted; live readers know of nothing to read again. */
  withdrawOutputs(): void {
    for (const output of this.#outputs) output?.release();
    this.#outputs = NO_OUTPUTS;
    for (const { liveEdges } of this.plan.outputs) {
      for (const edge of liveEdges) {
        const cursor = this.scope.cursor(edge.live);
        const target = this.scope.node(edge.target);
        if (cursor.known) target.unknown += 1;
        cursor.restart(null);
        if (target.state === "ready" || target.state === "skipping") target.state = "waiting";
      }
    }
  }

  // Inputs

  /** One more input is known; once all are, it is decided whether the node runs. */
  known(): void {
    this.unknown -= 1;
    if (this.unknown === 0 && this.state === "waiting") this.decide();
  }

  /** The source of an edge is done. */
  sourceDone(edge: PlanEdge): void {
    if (edge.live >= 0) {
      this.openSources -= 1;
      const cursor = this.scope.cursor(edge.live);
      if (!cursor.known) {
        cursor.known = true;
        this.known();
      }
      if (this.state === "finishing" && this.openSources === 0) this.scope.run.scheduler.add(this);
    } else if (!edge.input.spec.first) {
      this.known();
    } else if (!this.#decided?.has(edge.input) && this.#firstIsKnown(edge.input)) {
      this.#decided ??= new Set();
      this.#decided.add(edge.input);
      this.known();
    }
  }

  /** Whether the first edge that isn't skipped is known: it has settled, and those before it are skipped. */
  #firstIsKnown(input: PlanInput): boolean {
    for (const edge of input.edges) {
      if (!this.scope.node(edge.source).done) return false;
      if (!this.scope.skips(edge)) return true;
    }
    return true;
  }

  /** All inputs are known: it runs, or it is skipped. */
  decide(): void {
    this.reason = this.#skipReason();
    this.state = this.reason ? "skipping" : "ready";
    this.scope.run.scheduler.add(this);
  }

  /** Why it can't run: what the first of its skipped edges, in order of `edges`, says. */
  #skipReason(): SkipReason | null {
    let cause: PlanEdge | null = null;
    for (const input of this.plan.inputs) {
      const several = input.spec.many || input.spec.first;
      const [first] = input.edges;
      const skips = several
        ? input.edges.every((edge) => this.scope.skips(edge))
        : first && this.scope.skips(first);
      if (skips && first && (!cause || first.position < cause.position)) cause = first;
    }
    if (!cause) return null;
    const source = this.scope.node(cause.source);
    if (source.state === "skipped") return "upstream-skipped";
    return source.state === "failed" ? "upstream-failed" : "branch-not-taken";
  }

  settledInputs(): Readonly<Record<string, Value>> {
    const values: Record<string, Value> = Object.create(null);
    if (this.plan.input) values.in = this.scope.inputOf(this.plan.input);
    for (const input of this.plan.inputs) {
      if (input.spec.live) continue;
      const edges = input.edges.filter((edge) => !this.scope.skips(edge));
      const [first] = edges;
      if (input.spec.many && !input.spec.first) {
        values[input.handle] = edges.map((edge) => this.scope.valueOf(edge));
      } else if (first) {
        values[input.handle] = this.scope.valueOf(first);
      }
    }
    return values;
  }

  // Running

  /** Its turn has come, for whatever its state makes due. */
  begin(): void {
    switch (this.state) {
      case "ready":
        this.#start();
        break;
      case "skipping":
        this.skip(this.reason ?? "upstream-skipped");
        break;
      case "finishing":
        if (this.openSources === 0) this.#finish();
        break;
      default:
        // It was withdrawn while it waited for its turn.
        break;
    }
  }

  #start(): void {
    const { run } = this.scope;
    if (!run.countStart()) {
      if (this.plan.nested === null) run.scheduler.release();
      return;
    }
    this.state = "running";
    this.attempts = this.scope.repeats ? run.startsOf(this.path) : this.attempts + 1;
    this.attempt = new Attempt(this, this.attempts);
    this.attempt.begin();
  }

  /** The iterator of the current attempt has returned by itself. */
  ended(attempt: Attempt): void {
    if (attempt !== this.attempt) return;
    if (attempt.halves) flushText(attempt);
    for (const [index, plan] of this.plan.outputs.entries()) {
      if (plan.kind !== "value" || plan.liveEdges.length > 0) this.outputAt(index).end();
    }
    this.state = "finishing";
    for (const edge of this.plan.liveInputs) this.scope.cursor(edge.live).stop();
    if (this.openSources === 0) this.#finish();
  }

  failed(attempt: Attempt, error: unknown): void {
    if (attempt === this.attempt) handleFailure(this, attempt, error);
  }

  #finish(): void {
    const attempt = this.attempt as Attempt;
    const { handling } = this;
    if (handling?.how === "skip") {
      this.scope.run.report.failed += 1;
      this.#settle("failed");
      return;
    }
    if (handling) this.#setOnly(handling.handle, handling.value);
    else this.#announceEmpty(attempt);
    this.#complete(attempt.startedAt);
  }

  /** What a handled failure leaves is one value on one handle. */
  #setOnly(handle: string, value: Value): void {
    const output = this.output(handle);
    output.replace(value);
    output.end();
    if (this.sends) {
      this.scope.run.report.output(this.path, this.attempts, handle, "set", value, 0);
    }
  }

  /** Text, bytes and lists that nothing was added to are empty, not missing. */
  #announceEmpty(attempt: Attempt): void {
    for (const { handle, kind } of this.plan.outputs) {
      if (kind === "value") continue;
      const output = this.output(handle);
      if (output.taken) continue;
      const empty: Value = kind === "text" ? "" : kind === "bytes" ? new Uint8Array(0) : [];
      output.taken = true;
      if (this.sends) {
        this.scope.run.report.output(this.path, attempt.attempt, handle, "set", empty, 0);
      }
    }
  }

  #complete(startedAt: number): void {
    if (this.plan.output) this.result = this.settledInputs().in ?? null;
    const withheld = !this.sends && this.#outputs.some((output) => output?.taken);
    this.scope.run.report.nodeCompleted(this.path, this.attempts, startedAt, withheld);
    this.#settle("completed");
  }

  skip(reason: SkipReason): void {
    this.reason = reason;
    this.scope.run.report.nodeSkipped(this.path, reason);
    this.#settle("skipped");
  }

  /** It has its outputs from an earlier run. */
  reuse(outputs: Readonly<Record<string, Value>>): void {
    for (const [index, plan] of this.plan.outputs.entries()) {
      if (!Object.hasOwn(outputs, plan.handle)) continue;
      const output = this.outputAt(index);
      output.replace(outputs[plan.handle] ?? null);
      output.end();
    }
    if (this.plan.output) this.result = this.settledInputs().in ?? null;
    this.scope.run.report.reused += 1;
    this.#settle("completed");
  }

  #settle(state: "completed" | "skipped" | "failed"): void {
    this.state = state;
    this.attempt = null;
    for (const edge of this.plan.liveInputs) this.scope.cursor(edge.live).stop();
    this.scope.nodeDone(this);
  }

  /**
   * Forgets what it has done, as if it had never started. Live inputs are read again from the beginning.
   * The caller has reported it.
   */
  withdraw(): void {
    const { attempt } = this;
    this.attempt = null;
    this.handling = null;
    attempt?.abort(new NodeflowError("NODE_FAILED", "The attempt was withdrawn"));
    this.withdrawOutputs();
    for (const edge of this.plan.liveInputs) {
      const cursor = this.scope.cursor(edge.live);
      const known = cursor.known;
      cursor.restart(this.scope.node(edge.source).existing(edge.output));
      if (known && !cursor.known) this.unknown += 1;
      if (!known && cursor.known) this.unknown -= 1;
    }
    this.state = "waiting";
  }
}
