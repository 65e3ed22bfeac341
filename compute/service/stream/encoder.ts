import type { ExecuteRequest, ExecutionUpdate, Limits } from "../../../protocol/index.ts";
import type { Clock } from "../../engine/index.ts";

/** Turns updates into the bytes of one answer. */
export interface Encoder {
  /** One write for the whole batch; empty if there is nothing to send yet. */
  encode(updates: readonly ExecutionUpdate[]): Uint8Array | Promise<Uint8Array>;
  /** Says in this format that the stream is alive, and nothing else. */
  readonly heartbeat: Uint8Array;
}

/** What an answer may depend on. */
export interface EncoderContext {
  readonly request: ExecuteRequest;
  readonly limits: Limits;
  readonly clock: Clock;
}
