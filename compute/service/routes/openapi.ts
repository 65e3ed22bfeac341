import type { Context } from "hono";
import type { ServiceConfig, ServiceEnv } from "../config.ts";
import { openapiDocument } from "../describe/openapi.ts";

/** `GET /openapi.json`. Made at the first call: most instances are never asked. */
export function openapi(config: ServiceConfig) {
  let text: string | undefined;
  return (c: Context<ServiceEnv>): Response => {
    text ??= JSON.stringify(openapiDocument(config.version));
    return c.body(text, 200, { "content-type": "application/json" });
  };
}
