/** `npm start`: the compute service on Node, configured by the environment. */
import process from "node:process";
import { EnvironmentError, readEnvironment } from "./environment.ts";
import { keepPausesShort } from "./node-heap.ts";
import { startServer } from "./node-server.ts";

const logger = {
  info: (message: string) => console.log(message),
  error: (message: string, cause: unknown) => console.error(message, cause),
};

async function main(): Promise<void> {
  const environment = readEnvironment(process.env);
  const server = await startServer(environment, { logger });
  keepPausesShort();
  logger.info(`Node Flow listens on ${server.url}`);
  logger.info(
    `Try:  curl -N ${server.url}/execute -H "content-type: application/json" -d @examples/hello.json`,
  );
  if (environment.grants.size === 0) logger.info("No NODEFLOW_TOKENS: only this machine may call.");

  let stopping: Promise<void> | undefined;
  function stop(signal: NodeJS.Signals): void {
    if (stopping) return;
    logger.info(`${signal}: no new runs; those under way get ${environment.graceMs} ms`);
    stopping = server.close();
    stopping.then(
      () => process.exit(0),
      (cause: unknown) => {
        logger.error("Shutting down failed", cause);
        process.exit(1);
      },
    );
  }
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

main().catch((cause: unknown) => {
  console.error(cause instanceof EnvironmentError ? cause.message : cause);
  process.exitCode = 1;
});
