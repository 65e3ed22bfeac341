import type { Context } from "hono";
import { readRequest } from "../body/request.ts";
import type { ServiceConfig, ServiceEnv } from "../config.ts";

/** `POST /validate`: the checks of `POST /execute`, without running. */
export function validate(config: ServiceConfig) {
  const { clock, limits } = config.engine.config;
  return async (c: Context<ServiceEnv>): Promise<Response> => {
    const grant = c.get("grant");
    const request = await readRequest(c.req.raw, { ...limits, ...grant.limits }, clock);
    const validation = await config.engine.validate(request, {
      ...(grant.limits && { limits: grant.limits }),
      ...(grant.nodeTypes && { nodeTypes: grant.nodeTypes }),
      signal: c.req.raw.signal,
    });
    return c.json(validation);
  };
}
