import { type Client, createClient } from "../client/index.ts";
import { localEngine } from "../hosts/local.ts";
import type { LocalMachine } from "../hosts/node-local.ts";
import { VERSION } from "../hosts/version.ts";
import { anyone, createService } from "../service/index.ts";

/** The compute service in this process, without a port: it answers what a service would answer. */
export function localService({ types }: LocalMachine): Client {
  const { app } = createService({
    engine: localEngine({ types }),
    version: VERSION,
    logger: { info: () => undefined, error: () => undefined },
    authorize: anyone,
    loopbackOnly: false,
    origins: [],
    cancellable: true,
    notes: ["In this process: nothing listens."],
    heartbeatMs: 15_000,
    writeDeadlineMs: 30_000,
  });
  return createClient({
    url: "http://localhost",
    fetch: async (url, init) => app.fetch(new Request(url, init)),
  });
}
