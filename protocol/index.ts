export * from "./capabilities.ts";
export * from "./checkpoint.ts";
export * from "./checkpoint-of.ts";
export { fromBase64, toBase64 } from "./codec/base64.ts";
export type { ReadLimits } from "./codec/bounds.ts";
export * from "./codec/json.ts";
export * from "./codec/json-reader.ts";
export { Secret, type Wire } from "./codec/marker.ts";
export {
  decodeMsgpack,
  encodeMsgpack,
  MSGPACK_NIL,
  MsgpackUpdates,
  updateToMsgpack,
} from "./codec/msgpack.ts";
export * from "./codec/msgpack-reader.ts";
export * from "./codec/ndjson.ts";
export { pointerTo } from "./codec/pointer.ts";
export * from "./codec/request.ts";
export * from "./codec/result.ts";
export * from "./codec/sse.ts";
export { findSecret } from "./codec/unmark.ts";
export * from "./error.ts";
export * from "./execution.ts";
export * from "./fingerprint.ts";
export * from "./fold/fold.ts";
export type { NodeState, NodeStatus } from "./fold/node-state.ts";
export * from "./hash.ts";
export * from "./json-schema.ts";
export * from "./limits.ts";
export * from "./measure.ts";
export * from "./parse.ts";
export * from "./steps.ts";
export * from "./update.ts";
export * from "./value.ts";
export * from "./workflow.ts";
