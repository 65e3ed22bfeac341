import { once } from "node:events";
import process from "node:process";
import { startFrom } from "../hosts/node-start.ts";
import { asUsage } from "./machine.ts";
import { EXIT, type ExitCode } from "./problem.ts";

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
  const { server } = await startFrom(variables, { logger }).catch(asUsage);
  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  await server.close();
  return EXIT.completed;
}
