import type { ErrorInfo, Kind, Value } from "../../../protocol/index.ts";
import type { Emission, NodeContext, Question } from "../node-type.ts";

/*
 * An attempt that runs elsewhere: the near end is where the engine is, the far end where the node computes. They speak of
 * one attempt, from `begin` to `ended` or `failed`, which are the last words of the far end.
 */

/** What an attempt is begun with: the part of its context that can be sent. */
export interface Begin extends Pick<NodeContext, Sent> {
  readonly type: "begin";
  readonly node: string;
  /** Kinds of the live inputs by handle. */
  readonly live: Readonly<Record<string, Kind>>;
}

type Sent =
  | "data"
  | "path"
  | "attempt"
  | "inputs"
  | "seed"
  | "idempotencyKey"
  | "executionId"
  | "runtime"
  | "caller"
  | "traceparent";

/** What the near end says. */
export type ToFar =
  | Begin
  /** So many emissions have been read: there is room for as many more. */
  | { readonly type: "read"; readonly emissions: number }
  /** What a live input had, once it was asked for: at least one value, or the end. */
  | {
      readonly type: "input";
      readonly handle: string;
      readonly values: readonly Value[];
      readonly end: boolean;
    }
  | { readonly type: "input-failed"; readonly handle: string; readonly error: ErrorInfo }
  | { readonly type: "granted"; readonly request: number; readonly value: Value }
  | { readonly type: "refused"; readonly request: number; readonly error: ErrorInfo }
  /** The attempt is over, as far as the near end is concerned. */
  | { readonly type: "stop" };

/** What a node asks of the engine, by a number of its own. */
export type Request =
  | { readonly what: "answer"; readonly question: Question }
  | { readonly what: "connection" }
  /** The slot is given back until the request is done. */
  | { readonly what: "wait" };

/** What the far end says. */
export type ToNear =
  | { readonly type: "emission"; readonly emission: Emission }
  /** A live input is wanted, or will be read no further. */
  | { readonly type: "want"; readonly handle: string }
  | { readonly type: "leave"; readonly handle: string }
  | {
      readonly type: "progress";
      readonly completed: number;
      readonly total?: number;
      readonly message?: string;
    }
  | {
      readonly type: "log";
      readonly level: "debug" | "info" | "warn" | "error";
      readonly message: string;
    }
  | { readonly type: "request"; readonly request: number; readonly ask: Request }
  /** A connection is free again, a wait is over. */
  | { readonly type: "done"; readonly request: number }
  | { readonly type: "ended" }
  | { readonly type: "failed"; readonly error: ErrorInfo };

/**
 * One end of a pipe of messages about one attempt: in order, each once, or the pipe is closed. Messages hold values,
 * bytes and undefined, and nothing else.
 */
export interface Port<Out, In> {
  /** Throws if the message can't be sent; the pipe is as it was. What is sent after the close is lost. */
  send(message: Out): void;
  /** Called once, before anything arrives. `closed` says that nothing more will. */
  listen(message: (message: In) => void, closed: (error: unknown) => void): void;
  /** Lets go of the other end. Unless `finished`, whatever still runs there must be stopped by force. */
  close(finished: boolean): void;
}

/** Emissions that the far end may be ahead of the reader: so many … */
export const WINDOW_EMISSIONS = 32;
/** … and so heavy, one alone being as heavy as it is. */
export const WINDOW_BYTES = 256 * 1_024;
/** Values of a live input in one message, as far as they are there. */
export const INPUT_VALUES = 64;
export const INPUT_BYTES = 256 * 1_024;
