import type { Context } from "hono";
import { Refusal } from "../answer.ts";
import type { ServiceConfig, ServiceEnv } from "../config.ts";

/** `GET /metrics`, where the host counts. */
export function metrics(config: ServiceConfig) {
  return async (c: Context<ServiceEnv>): Promise<Response> => {
    if (!config.observer) throw new Refusal("NOT_FOUND", "This host keeps no metrics");
    const { contentType, text } = await config.observer.render();
    return c.body(text, 200, { "content-type": contentType });
  };
}
