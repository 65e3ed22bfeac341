/** `nodeflow/node`: what programs on Node that run workflows themselves have of their machine. */
export { type LocalMachine, localMachine } from "./node-local.ts";
export { type PoolOptions, type PoolRunner, poolRunner } from "./node-pool.ts";
