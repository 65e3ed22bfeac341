import type { Limits, NodeflowError, SkipReason, Steps, Tally, Value } from "../../protocol/index.ts";
import type { Clock } from "./clock.ts";
import type { Connections } from "./connections.ts";
import type { EngineConfig } from "./engine.ts";
import type { NestedResult, Question } from "./node-type.ts";
import type { Outbox } from "./outbox.ts";
import type { Cursor, Output, Retention } from "./output.ts";
import type { Plan, PlanEdge, PlanNode } from "./plan.ts";
import type { Redaction } from "./redact/redaction.ts";
import type { Report } from "./report.ts";
import type { Reuse } from "./reuse.ts";
import type { Runnable, Scheduler } from "./scheduler.ts";
import type { ScopeNames } from "./scope-names.ts";
import type { Secrets } from "./secrets.ts";

/*
 * The moving parts of a run, as they see each other: a run has a top scope, a scope has a node for each node of its
 * plan, a node has an attempt while it runs, and the attempt of a container has scopes again.
 */

/** One run: what its scopes share. */
export interface RunPart {
  readonly executionId: string;
  readonly runId: string;
  readonly seed: string;
  readonly config: EngineConfig;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly outbox: Outbox;
  readonly scheduler: Scheduler;
  readonly report: Report;
  readonly questions: { ask(attempt: AttemptPart, question: Question): Promise<Value> };
  readonly connections: Connections;
  /** What this run's caller may use. */
  readonly secrets: Secrets;
  readonly caller: string;
  readonly traceparent: string | undefined;
  readonly reuse: Reuse;
  readonly retention: Retention;
  /** What the last measured value weighs. */
  readonly tally: Tally;
  /** Whether the outputs of a top-level node, and of everything inside it, are sent to the reader. */
  sends(id: string): boolean;
  /** Counts a start of a node or scope. False if there can't be one: the run is over, now or before. */
  countStart(): boolean;
  /** The number of this start of a path inside a container that may start more than once. */
  startsOf(path: string): number;
  /** An attempt begins, whose iterator is to be waited for at the end of the run … */
  attemptBegun(): void;
  /** … and it has returned, or was given up, and is cleaned up. */
  attemptClosed(): void;
  /** Attempts that were told to stop, have not returned, and hold something that must be released. */
  readonly lingering: Set<AttemptPart>;
  /** Something went wrong that is nobody's fault but ours: the run ends with `INTERNAL`. */
  broke(error: unknown): void;
  /** Nodes that have failed for good, if their live sources don't withdraw what they had read. */
  readonly failing: Set<NodePart>;
  /** Does work in slices, with turns of the event loop between them, while the reader has room; none once the run is over. */
  perform(steps: Steps<void>): void;
  openScope(
    plan: Plan,
    prefix: string,
    inputs: Readonly<Record<string, Value>>,
    container: AttemptPart,
    reuses: boolean,
    end: ScopeEnd,
  ): ScopePart;
}

/** What becomes of a scope is somebody's to hear: the run's for the top, a container's for what is nested. */
export interface ScopeEnd {
  completed(scope: ScopePart): void;
  failed(error: NodeflowError): void;
}

/** What is known of a node before its scope begins: why it is skipped, or its outputs from an earlier run. */
export type Foregone = SkipReason | Readonly<Record<string, Value>> | null;

/** A workflow being run once: the whole run at the top, one item or iteration in a container. */
export interface ScopePart {
  readonly run: RunPart;
  /** What the paths of its nodes begin with: empty, or the container's or scope's path and a slash. */
  readonly prefix: string;
  /** The attempt of the container that it is in. */
  readonly container: AttemptPart | null;
  /** Whether results of an earlier run may stand for nodes in it. */
  readonly reuses: boolean;
  /** Whether its container may start again: then starts are counted over all its attempts. */
  readonly repeats: boolean;
  /** Nothing in it starts any more. */
  readonly over: boolean;
  /** Starts whatever waits for nothing. */
  begin(foregone: ((node: PlanNode) => Foregone) | null): void;
  /** A node, made when first asked for. */
  node(index: number): NodePart;
  /** Where a live edge has got to. */
  cursor(edge: PlanEdge): Cursor;
  /** Whether nothing comes over an edge whose source is done. */
  skips(edge: PlanEdge): boolean;
  /** What a settled edge carries. */
  valueOf(edge: PlanEdge): Value;
  inputOf(input: { readonly name: string; readonly default?: Value }): Value;
  /** A node is done: tells its targets, and lets go of what nobody will read any more. */
  nodeDone(node: NodePart): void;
  /** Calls back after a delay, unless the scope is over by then. */
  later(ms: number, callback: () => void): void;
  /** Something goes on in it though nothing computes: the run doesn't end, and timeouts of containers count. */
  hold(): void;
  unhold(): void;
  /** A node's failure was not handled: the whole scope has failed. */
  fail(error: NodeflowError): void;
  /** Ends everything in it, without a word. */
  abort(reason: unknown): void;
  /** The values of the output nodes that were not skipped, by name. */
  outputs(): Record<string, Value>;
  /** What the scope gives its container. */
  result(): NestedResult;
}

/**
 * `waiting` for inputs → `ready` → `running` → `finishing` (its iterator has returned; its live sources have not all
 * completed) → `completed`. Or, once its inputs are known: `skipping` → `skipped`. After a failure: `retrying` (until its
 * delay is over, then `waiting` or `ready`), or `finishing` with what `onError` says, then `completed` or `failed`.
 * `foregone` is what was decided before the scope began and is about to be told.
 */
export type NodeState =
  | "foregone"
  | "waiting"
  | "ready"
  | "running"
  | "finishing"
  | "completed"
  | "retrying"
  | "skipping"
  | "skipped"
  | "failed";

/** What `onError` makes of a final failure, other than to fail. */
export type Handled =
  | { readonly how: "skip" }
  | { readonly how: "default" | "route"; readonly handle: string; readonly value: Value };

/** What is to come of a final failure once it is certain: once the live sources that it came of are done. */
export type Handling = Handled | { readonly how: "fail"; readonly error: NodeflowError };

/** One node of a scope, from waiting for its inputs to its last word. */
export interface NodePart extends Runnable {
  readonly plan: PlanNode;
  readonly scope: ScopePart;
  readonly path: string;
  /** Whether its outputs are sent to the reader. What is nested follows its container. */
  readonly sends: boolean;
  state: NodeState;
  /** Inputs of which it isn't known yet whether there is something to read. */
  unknown: number;
  /** Live sources that are not done. */
  readonly openSources: number;
  /** Starts so far. */
  readonly attempts: number;
  /** Its own failures, those of its sources not counted. */
  failures: number;
  attempt: AttemptPart | null;
  readonly reason: SkipReason | null;
  /** Of an `output` node that has completed. */
  readonly result: Value | undefined;
  /** Nothing more will happen to it. */
  readonly done: boolean;
  /** Started, and still to be withdrawn if a source is. */
  readonly started: boolean;
  /** The output of a handle (default `out`), of the current attempt. Throws if the node has no such output. */
  output(handle?: string): Output;
  outputAt(index: number): Output;
  /** The output, if anything was emitted on it. */
  existing(index: number): Output | null;
  settledInputs(): Readonly<Record<string, Value>>;
  /** The source of an edge is done. */
  sourceDone(edge: PlanEdge): void;
  /** All inputs are known: it runs, or it is skipped. */
  decide(): void;
  skip(reason: SkipReason): void;
  /** It has its outputs from an earlier run. */
  reuse(outputs: Readonly<Record<string, Value>>): void;
  /** The iterator of an attempt has returned by itself. */
  ended(attempt: AttemptPart): void;
  /** An attempt has failed. */
  failed(attempt: AttemptPart, error: unknown): void;
  /** Its failure is final: what comes of it does so once its live sources are done. */
  finishAs(handling: Handling): void;
  /** Fails for good, where its failure has been waiting for its live sources. */
  failNow(): void;
  /** Forgets what was emitted; live readers know of nothing to read again. */
  withdrawOutputs(): void;
  /** Forgets everything it has done. Live inputs are read again from the beginning. The caller has reported it. */
  withdraw(): void;
}

/** One attempt of a node. */
export interface AttemptPart {
  readonly node: NodePart;
  /** Its slot, its waits and its timeouts. */
  readonly seat: SeatPart;
  /** Counts starts of the path, from 1. */
  readonly number: number;
  /** Ended, failed or withdrawn: whatever the node still does is ignored. */
  readonly over: boolean;
  /** Why it is over. */
  readonly reason: unknown;
  /** When it was placed, in milliseconds since the epoch. */
  readonly startedAt: number;
  /** A high surrogate at the end of a text emission waits here, by handle, for the other half. */
  halves: Map<string, string> | null;
  /** Of a container: the names of its nested runs. */
  scopes: ScopeNames | null;
  /** Keeps the secrets that it was given out of what it says; null if it was given none. */
  redaction: Redaction | null;
  begin(): void;
  /** What it says or asks for shows that it has started, here, even if its runner still looks for a place. */
  speak(): void;
  /** Nothing more is waited for: what it holds is released. Once. */
  cleanUp(): void;
  /** It has gone wrong: its node decides what comes of that. */
  fail(error: unknown): void;
  /** Ends it from outside: it is told to stop, and nothing that it still does counts. */
  abort(reason: unknown): void;
  /** Calls back when it is over. Gives a way to take that back. */
  onOver(callback: (reason: unknown) => void): () => void;
  /** A nested run of a container has begun … */
  addChild(scope: ScopePart): void;
  /** … and is over. */
  removeChild(scope: ScopePart): void;
}

/** An attempt among those that compute, as others see it: what it waits for, and what is in it. */
export interface SeatPart {
  /** Whether it matters how long something inside takes. */
  readonly isTimed: boolean;
  /** It waits for something other than itself: a node gives its slot back. */
  beginWait(): void;
  /** What it waited for is there: calls back when it may compute again, unless the attempt is over. */
  endWait(callback: () => void): void;
  /** Somebody inside a container begins to compute, or a delay begins (1), or is over (-1). */
  inside(by: 1 | -1): void;
}
