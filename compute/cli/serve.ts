import { once } from "node:events";
import process from "node:process";
import { EnvironmentError, readEnvironment } from "../hosts/environment.ts";
import { startServer } from "../hosts/node-server.ts";
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
  const server = await asUsage(() => startServer(readEnvironment(variables), { logger }));
  logger.info(`Node Flow listens on ${server.url}`);
  logger.info(`Try:  npm run -s nodeflow -- run examples/hello.json --server ${server.url}`);
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
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "EADDRINUSE") {
      throw new UsageError("The port is in use", {
        hint: "Choose another one with --port, or 0 for any",
        cause,
      });
    }
    if (code === "EACCES" || code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
      throw new UsageError(`Can't listen there: ${String(code)}`, { hint: "Change --host or --port", cause });
    }
    throw cause;
  }
}
