import { once } from "node:events";
import process from "node:process";
import { EnvironmentError } from "../hosts/environment.ts";
import { startFrom } from "../hosts/node-start.ts";
import { EXIT, type ExitCode, UsageError } from "./problem.ts";

export interface ServeOptions {
  readonly port?: string;
  readonly host?: string;
}

/** `nodeflow serve`: the compute service on this machine, until a signal ends it. */
export async function serveCommand({ port, host }: ServeOptions): Promise<ExitCode> {
  const variables = {
    ...process.env,
    ...(port !== undefined && { PORT: port }),
    ...(host !== undefined && { HOST: host }),
  };
  const logger = {
    info: (message: string) => console.log(message),
    error: (message: string, cause: unknown) => console.error(message, cause),
  };
  const { server } = await asUsage(() => startFrom(variables, { logger }));
  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  await server.close();
  return EXIT.completed;
}

/** What the environment or the machine doesn't allow is for the caller to change. */
async function asUsage<T>(start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (cause) {
    if (cause instanceof EnvironmentError) throw new UsageError(cause.message, { cause });
    throw cause;
  }
}
