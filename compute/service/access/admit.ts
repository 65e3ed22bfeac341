import type { MiddlewareHandler } from "hono";
import { Refusal, seconds } from "../answer.ts";
import type { ServiceConfig, ServiceEnv } from "../config.ts";
import { Buckets } from "./bucket.ts";

/** Lets in who may come, as often as they may. */
export function admit(config: ServiceConfig): MiddlewareHandler<ServiceEnv> {
  const buckets = config.rate && new Buckets(config.rate, config.engine.config.clock);
  return async (c, next) => {
    const grant = await config.authorize(c.req.raw);
    if (grant === 401) {
      c.header("www-authenticate", 'Bearer realm="nodeflow"');
      throw new Refusal("UNAUTHENTICATED", "A valid bearer token is needed");
    }
    if (grant === 403) throw new Refusal("FORBIDDEN", "This caller may not use this service");
    const wait = buckets?.take(grant.principal) ?? 0;
    if (wait > 0) {
      throw new Refusal("RATE_LIMITED", "Too many requests", { retryAfter: seconds(wait) });
    }
    c.set("grant", grant);
    return next();
  };
}
