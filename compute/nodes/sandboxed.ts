import { DEFAULT_LIMITS, type Limits } from "../../protocol/index.ts";
import type { Emission, NodeContext, Placement } from "../engine/index.ts";
import type { Job, Sandbox, Values } from "../sandbox/index.ts";
import { whole } from "./data.ts";

/** Caps of what programs may ask for. */
export type SandboxLimits = Pick<Limits, "maxSandboxMb" | "maxSandboxMs">;

const MIN_MEMORY_MB = 8;
const DEFAULT_MEMORY_MB = 64;
const DEFAULT_TIMEOUT_MS = 30_000;

/** The fields by which nodes bound their programs. */
export function bounds({ maxSandboxMb, maxSandboxMs }: SandboxLimits = DEFAULT_LIMITS) {
  return {
    memoryMb: whole(MIN_MEMORY_MB, maxSandboxMb)
      .default(Math.min(DEFAULT_MEMORY_MB, maxSandboxMb))
      .describe("Memory that the program may take, in MiB"),
    timeoutMs: whole(1, maxSandboxMs)
      .default(Math.min(DEFAULT_TIMEOUT_MS, maxSandboxMs))
      .describe("Time that the program may compute, in ms"),
  };
}

/** What a node asks of the sandbox, beside what follows from its attempt. */
export type Asked = Pick<Job, "program" | "inputs" | "stream" | "memoryMb" | "timeoutMs">;

/** Takes a place in the sandbox for an attempt. Jobs of one run may follow each other in one isolate. */
export async function placeIn(sandbox: Sandbox, context: NodeContext, asked: Asked): Promise<Placement> {
  const { seed, executionId: group, caller: owner, signal } = context;
  const log: Job["log"] = (level, message) => context.log(level, message);
  const values = await sandbox.start({ ...asked, seed, group, owner, log }, signal);
  const waits = values.waits?.bind(values);
  return { executor: { kind: "pool" }, emissions: emissionsOf(values), ...(waits && { waits }) };
}

/** The emissions of an attempt that nobody found a place for. */
export async function* emissionsIn(sandbox: Sandbox, context: NodeContext, asked: Asked) {
  const { emissions } = await placeIn(sandbox, context, asked);
  yield* emissions;
}

function emissionsOf(values: Values): AsyncIterableIterator<Emission> {
  const emissions: AsyncIterableIterator<Emission> = {
    async next() {
      const step = await values.next();
      return step.done ? { done: true, value: undefined } : { done: false, value: { value: step.value } };
    },
    async return() {
      await values.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => emissions,
  };
  return emissions;
}
