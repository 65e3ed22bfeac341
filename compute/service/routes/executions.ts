import type { Context } from "hono";
import { Refusal } from "../answer.ts";
import type { ServiceConfig, ServiceEnv } from "../config.ts";
import type { Runs } from "../runs.ts";

/** `DELETE /executions/:id`: cancels a run of this instance and this caller. */
export function cancelExecution(config: ServiceConfig, runs: Runs) {
  return (c: Context<ServiceEnv>): Response => {
    if (!config.cancellable) {
      throw new Refusal("NOT_FOUND", "On this host a run is cancelled by closing its connection");
    }
    const executionId = c.req.param("id") ?? "";
    if (!runs.cancel(executionId, c.get("grant").principal, "client")) {
      throw new Refusal("NOT_FOUND", "There is no such run of yours under way here");
    }
    return c.json({ executionId }, 202);
  };
}
