import type { z } from "zod";
import type { Executor, Kind, Value, Workflow } from "../../protocol/index.ts";

/** What running a node twice can do: nothing, nothing more than once, or something again. */
export type Effect = "pure" | "idempotent" | "effectful";
/** How much a node computes: `trivial` stays where its input is, `heavy` never runs on a thread that serves others. */
export type Cost = "trivial" | "light" | "heavy";
export type Runtime = "node" | "workers" | "browser";

/** One input handle. Without a word of its own it takes one edge, settled, and may stay unconnected. */
export interface InputSpec {
  /** Unconnected is `REQUIRED_INPUT_MISSING`. */
  readonly required?: boolean;
  /** The field of `data` that says the same. It isn't there, so unconnected is `INVALID_NODE_DATA` of that field. */
  readonly insteadOf?: string;
  /** Takes many edges: the value is the list in order of `edges`, without the skipped. */
  readonly many?: boolean;
  /**
   * Of many edges, only the first in order that isn't skipped is read, as soon as it has settled and those before it
   * are skipped. The value is that one value. Implies `many`.
   */
  readonly first?: boolean;
  /**
   * Source kinds that are read as they come; edges of other kinds are read settled, as one value. A `value` edge
   * gives its value once, whether listed or not.
   */
  readonly live?: readonly Kind[];
  /** Source kinds that may be connected; others are `INCOMPATIBLE_HANDLES`. All by default. */
  readonly accepts?: readonly Kind[];
}

export interface Handles {
  /** By handle name; `*` stands for any other name. */
  readonly inputs: Readonly<Record<string, InputSpec>>;
  /** By handle name. */
  readonly outputs: Readonly<Record<string, Kind>>;
}

/** One emission of a node: on `handle` (default `out`), in the mode that the handle's kind fixes. */
export interface Emission {
  readonly handle?: string;
  readonly value: Value;
  /** On an items handle: the item's place, where items are emitted out of order. Then every emission of the handle has it. */
  readonly index?: number;
}

export type Emissions = AsyncIterable<Emission> | Iterable<Emission>;

/** An attempt that has a place. */
export interface Placement {
  readonly executor: Executor;
  /** Pulled by the engine one by one: not pulling is back pressure, `return()` ends the attempt. */
  readonly emissions: Emissions;
  /** True if the type's `dispose` is called there, where the attempt runs, and not by the engine. */
  readonly disposes?: true;
  /** Told when the attempt comes to wait for others (for room, input, an answer), and when it computes again. */
  readonly waits?: (waits: boolean) => void;
}

/** A live input: values as they come, with back pressure. It can be iterated once. */
export interface LiveInput extends AsyncIterable<Value> {
  /**
   * The kind of the source handle. `items`: each value is an item. `text`, `bytes`: each value is a piece of any length,
   * or the whole where the handle doesn't list the kind as live. `value`: one value, or none.
   */
  readonly kind: Kind;
  /** Whether the next reading waits for nothing, as far as that can be told. */
  readonly ready?: boolean;
}

export interface Question {
  readonly tool: string;
  readonly args: Value;
  /** The JSON Schema that an answer must fit. */
  readonly schema?: Value;
}

/** What a nested run gave: the value of its output node(s), or nothing because it was skipped. */
export type NestedResult = { readonly skipped: false; readonly value: Value } | { readonly skipped: true };

/** How a container begins a nested run. */
export interface NestedRun {
  /** The last segment of the scope's path (an index). Without it the nested nodes stand directly under the container. */
  readonly scope?: string;
  /** Inputs of the nested workflow by name. */
  readonly inputs: Readonly<Record<string, Value>>;
  /** What the scope was given, as far as reuse depends on it: its hash becomes `item`. Only with `scope`. */
  readonly given?: Value;
  /** False if results of an earlier run must not be taken for this scope. Default true. */
  readonly reusable?: boolean;
}

/** A nested run under way. */
export interface Nested {
  /** Rejects with the error that ended the nested run; the container may let it pass through. */
  readonly result: Promise<NestedResult>;
  /** The values of the nested output nodes by name, without the skipped; once `result` has resolved. */
  readonly outputs: Readonly<Record<string, Value>>;
  /** True if nothing of it was run, because an earlier run had completed it. */
  readonly reused: boolean;
}

/** What an attempt of a node has at hand. Values are shared: a node never changes what it is given. */
export interface NodeContext<Data = unknown> {
  readonly data: Data;
  /** The node's path in the run, e.g. `draw/17/shade`. */
  readonly path: string;
  /** Counts starts of this path, from 1. */
  readonly attempt: number;
  /** Settled inputs by handle; unconnected ones are absent. Handles of many edges have a list. */
  readonly inputs: Readonly<Record<string, Value>>;
  /** Live inputs by handle; unconnected ones are absent. */
  readonly live: Readonly<Record<string, LiveInput>>;
  /** This execution, and no other: made here of random bits, so that no caller can claim another's. */
  readonly executionId: string;
  /** Aborted when the attempt is over, for whatever reason. */
  readonly signal: AbortSignal;
  /** Derived from the run's seed and the path: the same over attempts and resumes. */
  readonly seed: string;
  /** Hash of run id and path: the same over attempts and resumes. */
  readonly idempotencyKey: string;
  /** Where it runs. */
  readonly runtime: Runtime;
  progress(completed: number, total?: number, message?: string): void;
  log(level: "debug" | "info" | "warn" | "error", message: string): void;
  /** Waits at least `ms`; rejects when the attempt is aborted. */
  sleep(ms: number): Promise<void>;
  /** Gives the event loop a turn: for nodes that compute for long on the engine's thread. */
  turn(): Promise<void>;
  /**
   * Waits for something that isn't the node's own doing, such as a queue that it shares with other runs. Meanwhile it holds
   * no slot and its timeouts stand still. Rejects when the attempt is aborted.
   */
  waitFor<T>(promise: Promise<T>): Promise<T>;
  /**
   * The right to one outgoing call, from before it begins until nothing of it is left; whoever gets it disposes of it.
   * Waits, as `waitFor` does, while the run has as many open as it may. Throws `RESOURCE_EXHAUSTED` past the run's calls.
   */
  connection(): Promise<Disposable>;
  /**
   * The value of a secret, to be sent to this origin and nowhere else. Throws `SECRET_NOT_FOUND` unless the host has it for
   * this caller and allows it to go there.
   */
  secret(name: string, origin: string): string;
  /** Who asked for the run, as the host knows them: what is scarce is shared among callers. Empty if it doesn't. */
  readonly caller: string;
  /** The `traceparent` of the request (W3C Trace Context), to be passed on with outgoing calls. */
  readonly traceparent: string | undefined;
  /**
   * Asks the client. Resolves with the client's answer, rejects with its error. Without an answer the run is suspended
   * once nothing else can go on, and the promise rejects with the attempt's abort.
   */
  ask(question: Question): Promise<Value>;
  /**
   * Has a node of another type compute one value for this attempt, wherever nodes of its cost run: for containers, which
   * run where the engine does. `data` is what the type's schema gives. Absent where there is no other place.
   */
  compute?(
    type: NodeType,
    data: unknown,
    inputs: Readonly<Record<string, Value>>,
  ): Promise<Value | undefined>;
  /** Containers only: runs the nested workflow once. */
  run(nested: NestedRun): Nested;
}

/**
 * A kind of node. Types declare, the engine reads: nothing in the engine depends on a type's name.
 * Built-in types and those of embedders are written and registered in the same way.
 */
export interface NodeType<Data = unknown> {
  readonly type: string;
  readonly description: string;
  /** Checks and defaults `data`. What it gives is what the other members are called with. */
  readonly data: z.ZodType<Data>;
  /** What a node of this type typically costs. */
  readonly cost: Cost;
  /** The strongest effect a node of this type can have. */
  readonly strongest: Effect;
  /** Hosts it runs on; all if absent. Elsewhere: `UNSUPPORTED_ON_HOST`. */
  readonly hosts?: readonly Runtime[];
  /**
   * The fields of `data` that may name a secret, as JSON Pointers; `*` stands for any one key: `/headers/*`. Anywhere else
   * a secret is `INVALID_NODE_DATA`.
   */
  readonly secrets?: readonly string[];
  /** The origin that the secrets in `data` would go to, or null if that can't be told before it runs. */
  destination?(data: Data): string | null;
  handles(data: Data): Handles;
  /**
   * What one node costs, where that follows from its data, or from its settled inputs, which are there once it can start.
   */
  costOf?(data: Data, inputs?: Readonly<Record<string, Value>>): Cost;
  /** For a container, the engine adds the strongest effect inside. */
  effect(data: Data): Effect;
  /**
   * True if a node's only effect is a question to the client, which may be asked again: starting it twice harms nothing.
   */
  readonly asks?: true;
  /**
   * Makes it a container: the workflow that its attempts run, and the inputs they give it. `inputs: "handles"` means
   * the connected handles by their names. `iterations` is how often it may run the workflow on its own result: where
   * the host or the caller allows less, that is `INVALID_NODE_DATA`.
   */
  nested?(data: Data): {
    readonly workflow: Workflow;
    readonly inputs: readonly string[] | "handles";
    readonly iterations?: number;
  };
  /** For the type whose nodes name the inputs of a workflow: attempts find the run's value as `inputs.in`. */
  input?(data: Data): { readonly name: string; readonly default?: Value };
  /** For the type whose nodes name the outputs of a workflow: the value is that of its settled input `in`. */
  output?(data: Data): { readonly name: string };
  /** Runs one attempt. Stopping early (`return()`) releases what it holds. */
  execute(context: NodeContext<Data>): Emissions;
  /**
   * For types that compute in a place of their own (a sandbox): takes one, and gives the attempt's emissions. Runners
   * call it instead of `execute`. The attempt counts as started, and its deadline runs, from when the promise resolves.
   * It should give up its search when `context.signal` is aborted; emissions that come too late are `return()`ed.
   */
  place?(context: NodeContext<Data>): Promise<Placement>;
  /** Says what is wrong with the settled inputs (`INVALID_INPUT`), or nothing. */
  validate?(inputs: Readonly<Record<string, Value>>, data: Data): string | undefined;
  /** Changes a value before it leaves the node. */
  sanitize?(emission: Emission, data: Data): Emission;
  /** Runs once an attempt has ended and its iterator has returned, or 2 s after it was told to stop. Inputs are still there. */
  dispose?(context: NodeContext<Data>): void | Promise<void>;
}

/** Gives a node type its `Data` from its schema. */
export function defineNode<Data>(type: NodeType<Data>): NodeType<Data> {
  return type;
}

/** The node types of a host, by name. */
export type NodeTypes = ReadonlyMap<string, NodeType>;
