import {
  encodeNdjsonBatch,
  encodeSseBatch,
  MSGPACK_NIL,
  NDJSON_HEARTBEAT,
  SSE_HEARTBEAT,
  updateToMsgpack,
} from "../../../protocol/index.ts";
import type { Encoder, EncoderContext } from "./encoder.ts";
import { resultEncoder } from "./result.ts";

const sse: Encoder = { encode: encodeSseBatch, heartbeat: SSE_HEARTBEAT };
const ndjson: Encoder = { encode: encodeNdjsonBatch, heartbeat: NDJSON_HEARTBEAT };
const msgpack: Encoder = {
  encode: (updates) => concat(updates.map(updateToMsgpack)),
  heartbeat: MSGPACK_NIL,
};

/** How a run can be told, by media type: the first is the one of callers that don't say, or want what there isn't. */
export const FORMATS = new Map<string, (context: EncoderContext) => Encoder>([
  ["text/event-stream", () => sse],
  ["application/x-ndjson", () => ndjson],
  ["application/msgpack", () => msgpack],
  ["application/json", resultEncoder],
]);

export const DEFAULT_FORMAT = "text/event-stream";

/** The encoder of a media type that `FORMATS` has. */
export function encoderOf(type: string, context: EncoderContext): Encoder {
  return FORMATS.get(type)?.(context) ?? sse;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
