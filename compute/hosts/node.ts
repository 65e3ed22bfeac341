/** `npm start`: the compute service on Node, configured by the environment. */
import process from "node:process";
import { EnvironmentError } from "./environment.ts";
import { keepPausesShort } from "./node-heap.ts";
import { startFrom } from "./node-start.ts";

const logger = {
  info: (message: string) => console.log(message),
  error: (message: string, cause: unknown) => console.error(message, cause),
};

async function main(): Promise<void> {
  const { server, environment } = await startFrom(process.env, { logger });
  keepPausesShort();

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
  const theirs = cause instanceof EnvironmentError;
  console.error(theirs ? cause.message : cause);
  process.exitCode = theirs ? 2 : 1;
});
