import type { Context } from "hono";
import type { Capabilities } from "../../../protocol/index.ts";
import { limitsOf } from "../access/grant.ts";
import type { ServiceConfig, ServiceEnv } from "../config.ts";
import { describeNodeType } from "../describe/node-type.ts";
import type { Latency } from "../latency.ts";

const FEATURES = ["sse", "ndjson", "msgpack", "json", "checkpoints", "answers"];

/** `GET /capabilities`: what this host does for this caller, and within what limits. */
export function capabilities(config: ServiceConfig, latency: Latency) {
  const { runtime, types, limits } = config.engine.config;
  const here = [...types.values()].filter((type) => type.hosts?.includes(runtime) ?? true);
  const nodeTypes = here.map(describeNodeType);
  const features = config.cancellable ? [...FEATURES, "cancel"] : FEATURES;

  return (c: Context<ServiceEnv>): Response => {
    const grant = c.get("grant");
    const own = limitsOf(grant, limits);
    const usable = nodeTypes.filter(({ type }) => grant.nodeTypes?.includes(type) ?? true);
    const answer: Capabilities = {
      protocol: 1,
      version: config.version,
      runtime,
      maxNodes: own.maxNodes,
      maxEdges: own.maxEdges,
      maxBodyBytes: own.maxBodyBytes,
      maxExecutionMs: own.maxExecutionMs,
      limits: {
        ...own,
        heartbeatMs: config.heartbeatMs,
        writeDeadlineMs: config.writeDeadlineMs,
        ...(config.rate && { requestsPerSecond: config.rate.perSecond, requestBurst: config.rate.burst }),
        notes: config.notes.join(" "),
      },
      supportedNodeTypes: usable.map(({ type }) => type),
      nodeTypes: usable,
      features,
      estimatedLatency: latency.median,
    };
    return c.json(answer);
  };
}
