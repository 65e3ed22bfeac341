export * from "./access/bearer.ts";
export * from "./access/bucket.ts";
export * from "./access/grant.ts";
export { isLoopbackAddress } from "./access/loopback.ts";
export * from "./config.ts";
export * from "./service.ts";
