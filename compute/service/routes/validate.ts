import type { Context } from "hono";
import { limitsOf, prepareOptions } from "../access/grant.ts";
import { readRequest } from "../body/request.ts";
import type { ServiceConfig, ServiceEnv } from "../config.ts";

/** `POST /validate`: the checks of `POST /execute`, without running. */
export function validate(config: ServiceConfig) {
  const { clock, limits } = config.engine.config;
  return async (c: Context<ServiceEnv>): Promise<Response> => {
    const grant = c.get("grant");
    const request = await readRequest(c.req.raw, limitsOf(grant, limits), clock);
    const caller = { grant, traceparent: undefined, signal: c.req.raw.signal };
    return c.json(await config.engine.validate(request, prepareOptions(caller, config.secrets)));
  };
}
