import { NodeflowError, type SkipReason, type Value } from "../../protocol/index.ts";
import { Attempt } from "./attempt.ts";
import { handleFailure } from "./failure.ts";
import { Output } from "./output.ts";
import type { AttemptPart, Handling, NodePart, NodeState, ScopePart } from "./parts.ts";
import type { PlanEdge, PlanInput, PlanNode } from "./plan.ts";

/** Why a withdrawn attempt is over. Shared: making an error is slow. */
const WITHDRAWN = new NodeflowError("NODE_FAILED", "The attempt was withdrawn");

const NO_OUTPUTS: (Output | null)[] = [];

/** One node of a scope, from waiting for its inputs to its last word. */
export class NodeRun implements NodePart {
  readonly plan: PlanNode;
  readonly scope: ScopePart;
  readonly path: string;
  readonly sends: boolean;
  state: NodeState = "waiting";
  unknown: number;
  openSources: number;
  attempts = 0;
  failures = 0;
  attempt: AttemptPart | null = null;
  reason: SkipReason | null = null;
  result: Value | undefined;
  #handling: Handling | null = null;
  #outputs: (Output | null)[] = NO_OUTPUTS;
  /** Of `first` inputs: how many edges in front are skipped, or -1 once it is known which one is read. */
  #passed: Map<PlanInput, number> | null = null;

  constructor(plan: PlanNode, scope: ScopePart) {
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

  get done(): boolean {
    return this.state === "completed" || this.state === "skipped" || this.state === "failed";
  }

  get started(): boolean {
    return this.state === "running" || this.state === "finishing";
  }

  // Outputs

  output(handle = "out"): Output {
    const { outputs, outputNumbers } = this.plan;
    const number = outputNumbers?.get(handle);
    if (number !== undefined) return this.outputAt(number);
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
      const cursor = this.scope.cursor(edge);
      if (!this.scope.node(edge.target).done) cursor.restart(output);
    }
    return output;
  }

  existing(index: number): Output | null {
    return this.#outputs[index] ?? null;
  }

  withdrawOutputs(): void {
    for (const output of this.#outputs) output?.release();
    this.#outputs = NO_OUTPUTS;
    for (const { liveEdges } of this.plan.outputs) {
      for (const edge of liveEdges) {
        const cursor = this.scope.cursor(edge);
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

  sourceDone(edge: PlanEdge): void {
    if (edge.live >= 0) {
      this.openSources -= 1;
      const cursor = this.scope.cursor(edge);
      if (!cursor.known) {
        cursor.known = true;
        this.known();
      }
      if (this.state === "finishing" && this.openSources === 0) this.scope.run.scheduler.add(this);
    } else if (!edge.input.spec.first || this.#firstIsKnown(edge.input)) {
      this.known();
    }
  }

  /** Whether it becomes known, just now, which edge is the first that isn't skipped: those before it are. */
  #firstIsKnown(input: PlanInput): boolean {
    this.#passed ??= new Map();
    let passed = this.#passed.get(input) ?? 0;
    if (passed < 0) return false;
    for (; passed < input.edges.length; passed++) {
      const edge = input.edges[passed] as PlanEdge;
      if (!this.scope.node(edge.source).done) {
        this.#passed.set(input, passed);
        return false;
      }
      if (!this.scope.skips(edge)) break;
    }
    this.#passed.set(input, -1);
    return true;
  }

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
    if (source.state === "completed") return "branch-not-taken";
    return source.state === "failed" || source.reason === "upstream-failed"
      ? "upstream-failed"
      : "upstream-skipped";
  }

  settledInputs(): Readonly<Record<string, Value>> {
    const values: Record<string, Value> = Object.create(null);
    if (this.plan.input) values["in"] = this.scope.inputOf(this.plan.input);
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
    if (this.scope.over || !run.countStart()) {
      if (this.plan.nested === null) run.scheduler.release();
      return;
    }
    this.state = "running";
    this.attempts = this.scope.repeats ? run.startsOf(this.path) : this.attempts + 1;
    this.attempt = new Attempt(this, this.attempts);
    this.attempt.begin();
  }

  ended(attempt: AttemptPart): void {
    if (attempt !== this.attempt) return;
    for (const output of this.#outputs) if (output?.taken) output.end();
    this.state = "finishing";
    for (const edge of this.plan.liveInputs) this.scope.cursor(edge).stop();
    if (this.openSources === 0) this.#finish();
  }

  failed(attempt: AttemptPart, error: unknown): void {
    if (attempt === this.attempt) handleFailure(this, attempt, error);
  }

  finishAs(handling: Handling): void {
    this.#handling = handling;
    this.state = "finishing";
    if (handling.how === "fail") this.scope.run.failing.add(this);
    for (const edge of this.plan.liveInputs) this.scope.cursor(edge).stop();
    if (this.openSources === 0) this.scope.run.scheduler.add(this);
  }

  /** Its failure stands whatever its sources would still do. */
  failNow(): void {
    if (this.#handling?.how === "fail") this.scope.fail(this.#handling.error);
  }

  #finish(): void {
    const attempt = this.attempt as AttemptPart;
    const handling = this.#handling;
    if (handling?.how === "fail") {
      this.scope.fail(handling.error);
      return;
    }
    if (handling?.how === "skip") {
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
    if (this.sends) this.scope.run.report.output(this.path, this.attempts, handle, "set", value, 0);
    output.replace(value);
    output.end();
  }

  /** Text, bytes and lists that nothing was added to are empty, not missing. */
  #announceEmpty(attempt: AttemptPart): void {
    for (const { handle, kind } of this.plan.outputs) {
      if (kind === "value") continue;
      const output = this.output(handle);
      if (output.taken) continue;
      const empty: Value = kind === "text" ? "" : kind === "bytes" ? new Uint8Array(0) : [];
      if (this.sends) this.scope.run.report.output(this.path, attempt.number, handle, "set", empty, 0);
      output.replace(empty);
      output.end();
    }
  }

  #complete(startedAt: number): void {
    if (this.plan.output) this.result = this.settledInputs()["in"] ?? null;
    const withheld = !this.sends && this.#outputs.some((output) => output?.taken);
    this.scope.run.report.nodeCompleted(this.path, this.attempts, startedAt, withheld);
    this.#settle("completed");
  }

  skip(reason: SkipReason): void {
    this.reason = reason;
    this.scope.run.report.nodeSkipped(this.path, reason);
    this.#settle("skipped");
  }

  reuse(outputs: Readonly<Record<string, Value>>): void {
    for (const [index, plan] of this.plan.outputs.entries()) {
      if (!Object.hasOwn(outputs, plan.handle)) continue;
      const output = this.outputAt(index);
      output.replace(outputs[plan.handle] ?? null);
      output.end();
    }
    if (this.plan.output) this.result = this.settledInputs()["in"] ?? null;
    this.scope.run.report.reused += 1;
    this.#settle("completed");
  }

  #settle(state: "completed" | "skipped" | "failed"): void {
    this.state = state;
    this.attempt = null;
    for (const edge of this.plan.liveInputs) this.scope.cursor(edge).stop();
    this.scope.nodeDone(this);
  }

  withdraw(): void {
    const { attempt } = this;
    this.attempt = null;
    this.#handling = null;
    this.scope.run.failing.delete(this);
    attempt?.abort(WITHDRAWN);
    this.withdrawOutputs();
    for (const edge of this.plan.liveInputs) {
      const cursor = this.scope.cursor(edge);
      const known = cursor.known;
      cursor.restart(this.scope.node(edge.source).existing(edge.output));
      if (known && !cursor.known) this.unknown += 1;
      if (!known && cursor.known) this.unknown -= 1;
    }
    this.state = "waiting";
  }
}
