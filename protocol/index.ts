export * from "./checkpoint.ts";
export * from "./error.ts";
export * from "./execution.ts";
export * from "./limits.ts";
export * from "./update.ts";
export * from "./value.ts";
export * from "./workflow.ts";
