/** Our service as `npm start` starts it, with the bench's own node types beside the built-in ones. */
import { readEnvironment } from "../../../compute/hosts/environment.ts";
import { keepPausesShort } from "../../../compute/hosts/node-heap.ts";
import { startServer } from "../../../compute/hosts/node-server.ts";
import { builtinNodes } from "../../../compute/nodes/index.ts";
import { benchTypes } from "../graphs.ts";
import { serveTheBench } from "./server.ts";

const logger = { info: () => {}, error: (message: string, cause: unknown) => console.error(message, cause) };
const environment = readEnvironment({ PORT: "0", NODEFLOW_MAX_ACTIVE_RUNS: "20000" });
const server = await startServer(environment, { logger, types: new Map([...builtinNodes, ...benchTypes]) });
keepPausesShort();
serveTheBench(server.url);
