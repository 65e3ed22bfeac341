import process from "node:process";
import { EnvironmentError } from "../hosts/environment.ts";
import { type LocalMachine, localMachine } from "../hosts/node-local.ts";
import { UsageError } from "./problem.ts";

/** What workflows find that run in this process. */
export function ownMachine(): LocalMachine {
  try {
    return localMachine(process.env);
  } catch (cause) {
    return asUsage(cause);
  }
}

/** What the environment or the machine doesn't allow is for the caller to change. */
export function asUsage(cause: unknown): never {
  if (cause instanceof EnvironmentError) throw new UsageError(cause.message, { cause });
  throw cause;
}
