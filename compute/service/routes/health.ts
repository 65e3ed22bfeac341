import type { Context } from "hono";
import type { Health } from "../../../protocol/index.ts";
import type { ServiceConfig, ServiceEnv } from "../config.ts";
import type { Runs } from "../runs.ts";

/** `GET /health`: whether new runs are taken. It needs no token: whoever spreads the load has none. */
export function health(config: ServiceConfig, runs: Runs) {
  const { clock, runtime } = config.engine.config;
  const since = clock.now();
  return (c: Context<ServiceEnv>): Response =>
    c.json(
      {
        status: runs.draining ? "draining" : "ok",
        version: config.version,
        runtime,
        uptimeMs: clock.now() - since,
        executions: { active: runs.active, capacity: runs.capacity },
      } satisfies Health,
      runs.draining ? 503 : 200,
    );
}
