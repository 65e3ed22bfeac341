export * from "./clock.ts";
export { createEngine } from "./create-engine.ts";
export * from "./engine.ts";
export * from "./node-type.ts";
export * from "./runner.ts";
export { NO_SECRETS, type Secrets } from "./secrets.ts";
export { cooperate } from "./turns.ts";
