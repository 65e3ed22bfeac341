import { natural, type Read } from "./variable.ts";

/** What the environment says of the processes for heavy nodes; what it doesn't say follows from the machine. */
export interface PoolRules {
  readonly processes?: number;
  readonly memoryMb?: number;
}

export const POOL_VARIABLES = ["NODEFLOW_POOL_PROCESSES", "NODEFLOW_POOL_MEMORY_MB"] as const;

const MOST_PROCESSES = 1_024;
/** With less, a process ends before it has begun. */
const LEAST_MEMORY_MB = 64;

export function readPool(read: Read): PoolRules {
  const processes = read("NODEFLOW_POOL_PROCESSES", natural(1, MOST_PROCESSES));
  const memoryMb = read("NODEFLOW_POOL_MEMORY_MB", natural(LEAST_MEMORY_MB));
  return { ...(processes !== undefined && { processes }), ...(memoryMb !== undefined && { memoryMb }) };
}
