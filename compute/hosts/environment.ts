import { z } from "zod";
import { DEFAULT_LIMITS, type Limits } from "../../protocol/index.ts";
import type { Grant, Rate } from "../service/index.ts";
import { type HostSecrets, isSecretVariable, readSecrets, withSecrets } from "./host-secrets.ts";
import { OUTGOING_VARIABLES, type OutgoingRules, readOutgoing } from "./outgoing.ts";
import { POOL_VARIABLES, type PoolRules, readPool } from "./pool-rules.ts";
import { listed, natural, origins, positive, type Read, reader, type Variables } from "./variable.ts";

export { EnvironmentError, type Variables } from "./variable.ts";

/** What the environment says, checked. Times are milliseconds. */
export interface Environment {
  readonly port: number;
  readonly host: string;
  /** By token. Empty: no tokens, so loopback only. */
  readonly grants: ReadonlyMap<string, Grant>;
  readonly origins: readonly string[];
  readonly secrets: HostSecrets;
  /** What nodes may call, and how hard. */
  readonly outgoing: OutgoingRules;
  readonly rate?: Rate;
  readonly limits: Limits;
  /** Where heavy nodes run (Node). */
  readonly pool: PoolRules;
  readonly graceMs: number;
  readonly heartbeatMs: number;
  readonly writeDeadlineMs: number;
}

const MAX_DELAY_MS = 2_147_483_647;
const milliseconds = natural(1, MAX_DELAY_MS);
/** `name:token,name2:token2`. A name may stand for several tokens. */
const tokens = z.string().transform((text, context) => {
  const grants = new Map<string, Grant>();
  for (const pair of listed(text)) {
    const [, principal, token] = /^([A-Za-z0-9._-]{1,64}):([A-Za-z0-9\-._~+/]{16,}=*)$/.exec(pair) ?? [];
    if (principal === undefined || token === undefined) {
      const message =
        "must be NAME:TOKEN, separated by commas, each token at least 16 characters of A-Z a-z 0-9 - . _ ~ + /";
      context.addIssue({ code: "custom", message });
      return z.NEVER;
    }
    grants.set(token, { principal });
  }
  return grants;
});

/** `maxBodyBytes` is set by `NODEFLOW_MAX_BODY_BYTES`. */
export function variableOf(limit: keyof Limits): string {
  return `NODEFLOW_${limit.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

const LIMITS = Object.keys(DEFAULT_LIMITS) as (keyof Limits)[];

const KNOWN: ReadonlySet<string> = new Set([
  ...LIMITS.map(variableOf),
  ...OUTGOING_VARIABLES,
  ...POOL_VARIABLES,
  "NODEFLOW_TOKENS",
  "NODEFLOW_TOKEN_SECRETS",
  "NODEFLOW_ORIGINS",
  "NODEFLOW_RATE_PER_SECOND",
  "NODEFLOW_RATE_BURST",
  "NODEFLOW_GRACE_MS",
  "NODEFLOW_HEARTBEAT_MS",
  "NODEFLOW_WRITE_DEADLINE_MS",
  // The command line's, and the tests'.
  "NODEFLOW_TOKEN",
  "NODEFLOW_DATA",
  "NODEFLOW_RUNS",
  "NODEFLOW_SEED",
]);

/** Variables that look like ours but mean nothing here: typing errors, most likely. */
export function unknownVariables(variables: Variables): string[] {
  return Object.keys(variables).filter(
    (name) => name.startsWith("NODEFLOW_") && !KNOWN.has(name) && !isSecretVariable(name),
  );
}

/** Reads the environment. Throws an `EnvironmentError` that names the first variable that is wrong. */
export function readEnvironment(variables: Variables): Environment {
  const read = reader(variables);
  const secrets = readSecrets(variables, read);
  const grants = withSecrets(read("NODEFLOW_TOKENS", tokens) ?? new Map<string, Grant>(), secrets, read);
  const rate = readRate(read, grants.size > 0);
  const limits = LIMITS.map((key) => [key, read(variableOf(key), natural(1)) ?? DEFAULT_LIMITS[key]]);
  return {
    port: read("PORT", natural(0, 65_535)) ?? 8787,
    host: read("HOST", z.string().max(255)) ?? "127.0.0.1",
    grants,
    origins: read("NODEFLOW_ORIGINS", origins) ?? [],
    secrets,
    outgoing: readOutgoing(read),
    ...(rate && { rate }),
    pool: readPool(read),
    limits: Object.fromEntries(limits) as unknown as Limits,
    graceMs: read("NODEFLOW_GRACE_MS", natural(0, MAX_DELAY_MS)) ?? 10_000,
    heartbeatMs: read("NODEFLOW_HEARTBEAT_MS", milliseconds) ?? 15_000,
    writeDeadlineMs: read("NODEFLOW_WRITE_DEADLINE_MS", milliseconds) ?? 30_000,
  };
}

/** Callers with tokens are limited unless told otherwise; without tokens there is only one, on this machine. */
function readRate(read: Read, always: boolean): Rate | undefined {
  const perSecond = read("NODEFLOW_RATE_PER_SECOND", positive) ?? (always ? 50 : undefined);
  if (perSecond === undefined) return undefined;
  const burst = read("NODEFLOW_RATE_BURST", natural(1)) ?? Math.max(1, Math.ceil(perSecond * 2));
  return { perSecond, burst };
}
