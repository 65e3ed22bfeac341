import { DEFAULT_LIMITS } from "../limits.ts";
import { finish } from "../steps.ts";
import type { ExecutionUpdate } from "../update.ts";
import type { Value } from "../value.ts";
import type { ReadLimits } from "./bounds.ts";
import { mark } from "./mark.ts";
import { MsgpackReader, readMsgpackSteps } from "./msgpack-reader.ts";
import { writeMsgpack } from "./msgpack-writer.ts";
import { unmark } from "./unmark.ts";
import { markUpdate, readUpdate } from "./update.ts";

/** A value as MessagePack: bytes as they are, and objects that look like secrets escaped. */
export function encodeMsgpack(value: Value): Uint8Array {
  return writeMsgpack(mark(value, "msgpack"));
}

/** The value that MessagePack stands for. Throws `INVALID_REQUEST` or `PAYLOAD_TOO_LARGE`. */
export function decodeMsgpack(bytes: Uint8Array, limits: ReadLimits = DEFAULT_LIMITS): Value {
  return unmark(finish(readMsgpackSteps(bytes, limits)), { wire: "msgpack" }) as Value;
}

/** An update as one map. */
export function updateToMsgpack(update: ExecutionUpdate): Uint8Array {
  return writeMsgpack(markUpdate(update, "msgpack"));
}

/** What breaks the silence of a stream: readers ignore it. */
export const MSGPACK_NIL: Uint8Array = Uint8Array.of(0xc0);

/** Reads a stream of updates, one map after another, in pieces of any size. Types of later versions are left out. */
export class MsgpackUpdates {
  readonly #reader: MsgpackReader;

  constructor(limits: ReadLimits = DEFAULT_LIMITS) {
    this.#reader = new MsgpackReader(limits);
  }

  push(chunk: Uint8Array): ExecutionUpdate[] {
    const updates: ExecutionUpdate[] = [];
    for (const raw of this.#reader.push(chunk)) {
      const update = raw === null ? null : readUpdate(raw, "msgpack");
      if (update !== null) updates.push(update);
    }
    return updates;
  }

  /** Throws `INVALID_REQUEST` if the stream ends within an update. */
  end(): void {
    this.#reader.end();
  }
}
