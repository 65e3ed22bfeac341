import type { CheckpointEntry } from "../checkpoint.ts";
import type { ErrorInfo } from "../error.ts";
import type { Executor, SkipReason, UpdateOf } from "../update.ts";
import type { Mode, Value } from "../value.ts";
import { HandleFold } from "./handle.ts";

export type NodeStatus = "running" | "completed" | "failed" | "skipped";

/** What is known of one path: a node, or a scope of a container. */
export interface NodeState {
  readonly status: NodeStatus;
  /** 0 for what was reused or skipped. */
  readonly attempt: number;
  /** The folds of its handles by name; those not taken are absent. */
  readonly outputs: Readonly<Record<string, Value>>;
  readonly executor?: Executor;
  /** It began as effectful. */
  readonly effectful?: true;
  /** Scopes: the hash of what the scope was given. */
  readonly item?: string;
  /** Scopes taken from a checkpoint: what the nested run gave; absent if that was skipped. */
  readonly result?: Value;
  /** Its result was taken from an earlier run. */
  readonly reused?: true;
  /** An output of it was not sent. */
  readonly withheld?: true;
  /** The last failure of this attempt, also where `onError` dealt with it. */
  readonly error?: ErrorInfo;
  readonly handled?: "skip" | "default" | "route";
  /** Why it was skipped. */
  readonly reason?: SkipReason;
  readonly progress?: { readonly completed: number; readonly total?: number; readonly message?: string };
  /** What it asks the client, while it is running. */
  readonly request?: UpdateOf<"input-requested">;
  readonly durationMs?: number;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** The state of one path as it is being folded. */
export class NodeFold implements Writable<NodeState> {
  // Declared, not initialised: most paths have few of these, and absent is not the same as undefined.
  status: NodeStatus;
  attempt: number;
  declare executor?: Executor;
  declare effectful?: true;
  declare item?: string;
  declare result?: Value;
  declare reused?: true;
  declare withheld?: true;
  declare error?: ErrorInfo;
  declare handled?: "skip" | "default" | "route";
  declare reason?: SkipReason;
  declare progress?: { readonly completed: number; readonly total?: number; readonly message?: string };
  declare request?: UpdateOf<"input-requested">;
  declare durationMs?: number;
  #handles: Map<string, HandleFold> | null = null;

  constructor(status: NodeStatus, attempt: number) {
    this.status = status;
    this.attempt = attempt;
  }

  get outputs(): Readonly<Record<string, Value>> {
    // Without a prototype, a handle's name finds nothing that wasn't emitted.
    const outputs: Record<string, Value> = Object.create(null);
    if (this.#handles !== null) for (const [name, handle] of this.#handles) outputs[name] = handle.value;
    return outputs;
  }

  add(handle: string, mode: Mode, value: Value, index?: number): void {
    this.#handles ??= new Map();
    let fold = this.#handles.get(handle);
    if (fold === undefined) {
      fold = new HandleFold();
      this.#handles.set(handle, fold);
    }
    fold.add(mode, value, index);
  }

  forgetOutputs(): void {
    this.#handles = null;
  }

  /** What a checkpoint says of a path. */
  static of(entry: CheckpointEntry): NodeFold {
    const fold = new NodeFold(entry.status === "partial" ? "running" : "completed", 0);
    fold.reused = true;
    if ("item" in entry && entry.item !== undefined) fold.item = entry.item;
    if ("result" in entry && entry.result !== undefined) fold.result = entry.result;
    if ("outputs" in entry) {
      if (entry.outputs === null) fold.withheld = true;
      else for (const name of Object.keys(entry.outputs)) fold.add(name, "set", entry.outputs[name]!);
    }
    return fold;
  }
}
