import { isIPv6 } from "node:net";
import {
  type Environment,
  EnvironmentError,
  readEnvironment,
  unknownVariables,
  type Variables,
} from "./environment.ts";
import { type NodeServer, type NodeServerOptions, startServer } from "./node-server.ts";

export interface Started {
  readonly server: NodeServer;
  readonly environment: Environment;
}

/** Starts the service as the variables say, and tells its operator where it is and what was not understood. */
export async function startFrom(variables: Variables, options: NodeServerOptions): Promise<Started> {
  const environment = readEnvironment(variables);
  const unknown = unknownVariables(variables);
  if (unknown.length > 0) options.logger.info(`Warning: nothing here is set by ${unknown.join(", ")}`);
  const server = await listening(environment, options);
  options.logger.info(`Node Flow listens on ${server.url}`);
  options.logger.info(`Try:  ${exampleCall(server.url, environment.grants.size > 0)}`);
  if (environment.grants.size === 0) options.logger.info("No NODEFLOW_TOKENS: only this machine may call.");
  warmUp(server, options);
  return { server, environment };
}

/** The first program finds its place ready, and whoever is served meanwhile doesn't wait for that. */
function warmUp({ sandbox }: NodeServer, { logger }: NodeServerOptions): void {
  sandbox.warm().then(
    () => logger.info(sandbox.notes.join(" ")),
    (cause: unknown) => logger.error("The sandbox could not be warmed up", cause),
  );
}

/** A command that can be pasted. An address that stands for all of them can't be called: this machine's own can. */
export function exampleCall(url: string, withToken: boolean): string {
  const reachable = url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:");
  const token = withToken ? " -H 'authorization: Bearer TOKEN'" : "";
  return `curl -N ${reachable}/execute${token} -H 'content-type: application/json' --data-binary @examples/hello.json`;
}

/** Where the machine doesn't allow what was asked for, the operator is told what to change. */
async function listening(environment: Environment, options: NodeServerOptions): Promise<NodeServer> {
  try {
    return await startServer(environment, options);
  } catch (cause) {
    const { host, port } = environment;
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "EADDRINUSE")
      throw new EnvironmentError(`Port ${port} is in use; set PORT to another`, { cause });
    if (code === "EACCES" || code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
      const at = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
      throw new EnvironmentError(`Can't listen on ${at} (${code}); change HOST or PORT`, { cause });
    }
    throw cause;
  }
}
