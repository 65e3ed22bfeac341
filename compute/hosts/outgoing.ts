import { z } from "zod";
import { DEFAULT_PACE, type Pace } from "../nodes/index.ts";
import { type GuardRules, isNetwork } from "./address-guard.ts";
import { listed, listOf, natural, positive, type Read } from "./variable.ts";

/** What nodes may call, and how hard. */
export interface OutgoingRules extends GuardRules {
  readonly pace: Pace;
}

const MAX_PORT = 65_535;
const DEFAULT_PORTS = "80,443,8080,8443";

/** `443` or `8000-8999` */
const ports = z.string().transform((text, context) => {
  const found = new Set<number>();
  for (const part of listed(text)) {
    const [, low = "", high = low] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part) ?? [];
    if (low === "" || Number(high) > MAX_PORT || Number(low) > Number(high)) {
      context.addIssue({ code: "custom", message: `must be ports like 443 or 8000-8999, not "${part}"` });
      return z.NEVER;
    }
    for (let port = Number(low); port <= Number(high); port++) found.add(port);
  }
  return found;
});

const networks = listOf(isNetwork, "networks like 10.0.0.0/8 or fd00::/8");

/** What the variables say of calls that leave the host. */
export function readOutgoing(read: Read): OutgoingRules {
  return {
    networks: read("NODEFLOW_ALLOW_NETWORKS", networks) ?? [],
    ports: read("NODEFLOW_ALLOW_PORTS", ports) ?? ports.parse(DEFAULT_PORTS),
    pace: {
      concurrency: read("NODEFLOW_CALLS_AT_ONCE", natural(1)) ?? DEFAULT_PACE.concurrency,
      perSecond: read("NODEFLOW_CALLS_PER_SECOND", positive) ?? DEFAULT_PACE.perSecond,
      burst: read("NODEFLOW_CALLS_BURST", natural(1)) ?? DEFAULT_PACE.burst,
    },
  };
}

export const OUTGOING_VARIABLES = [
  "NODEFLOW_ALLOW_NETWORKS",
  "NODEFLOW_ALLOW_PORTS",
  "NODEFLOW_CALLS_AT_ONCE",
  "NODEFLOW_CALLS_PER_SECOND",
  "NODEFLOW_CALLS_BURST",
];
