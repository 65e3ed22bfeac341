import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { Refusal } from "../answer.ts";
import type { ServiceConfig, ServiceEnv } from "../config.ts";
import { isLoopbackHost } from "./loopback.ts";

const PREFLIGHT_MAX_AGE_S = 600;

/** Whether the page that calls was served under the name by which it calls. */
function isOwn(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}

/**
 * What browsers may do. Allowed origins get CORS; without tokens every other foreign origin, and every `Host` that isn't
 * a loopback name, is refused outright, since there nothing else tells a page's request from its user's.
 */
export function origin(config: ServiceConfig): MiddlewareHandler<ServiceEnv> {
  const allowed = new Set(config.origins);
  const shared = cors({
    origin: (asking) => (allowed.has(asking) ? asking : null),
    allowMethods: ["GET", "POST", "DELETE"],
    allowHeaders: ["authorization", "content-type", "accept", "traceparent", "tracestate"],
    exposeHeaders: ["x-execution-id", "retry-after"],
    maxAge: PREFLIGHT_MAX_AGE_S,
  });
  return async (c, next) => {
    if (config.loopbackOnly && !isLoopbackHost(c.req.header("host"))) {
      throw new Refusal("FORBIDDEN", "This service has no tokens, so it answers only to localhost");
    }
    const asking = c.req.header("origin");
    if (asking === undefined) return next();
    if (allowed.has(asking)) return shared(c, next);
    if (config.loopbackOnly && !isOwn(asking, c.req.header("host"))) {
      throw new Refusal("FORBIDDEN", "This origin is not allowed to call this service");
    }
    return next();
  };
}
