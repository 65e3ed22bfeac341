export { bearer } from "./access/bearer.ts";
export type { Rate } from "./access/bucket.ts";
export { type Authorize, anyone, type Grant } from "./access/grant.ts";
export { isLoopbackAddress } from "./access/loopback.ts";
export * from "./config.ts";
export * from "./service.ts";
export type { Sink } from "./stream/sink.ts";
