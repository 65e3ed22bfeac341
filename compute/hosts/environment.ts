import { z } from "zod";
import { DEFAULT_LIMITS, type Limits } from "../../protocol/index.ts";
import type { Grant, Rate } from "../service/index.ts";

/** Variables as a platform gives them: process.env on Node, bindings on Workers. */
export type Variables = Readonly<Record<string, unknown>>;

/** What the environment says, checked. Times are milliseconds. */
export interface Environment {
  readonly port: number;
  readonly host: string;
  /** By token. Empty: no tokens, so loopback only. */
  readonly grants: ReadonlyMap<string, Grant>;
  readonly origins: readonly string[];
  readonly rate?: Rate;
  readonly limits: Limits;
  readonly graceMs: number;
  readonly heartbeatMs: number;
  readonly writeDeadlineMs: number;
}

/** A variable that can't be what it is. The message names it and never tells a token. */
export class EnvironmentError extends Error {
  override readonly name = "EnvironmentError";
}

const MAX_DELAY_MS = 2_147_483_647;
const natural = (min: number, max: number = Number.MAX_SAFE_INTEGER) =>
  numeric((value) => Number.isInteger(value) && value >= min && value <= max, {
    otherwise:
      max === Number.MAX_SAFE_INTEGER ? `a whole number from ${min}` : `a whole number from ${min} to ${max}`,
  });
const milliseconds = natural(1, MAX_DELAY_MS);
const positive = numeric((value) => value > 0 && value < Number.POSITIVE_INFINITY, {
  otherwise: "a number above 0",
});

/** Platforms give numbers as text, or as numbers. */
function numeric(fits: (value: number) => boolean, { otherwise }: { readonly otherwise: string }) {
  return z.union([z.string(), z.number()]).transform((given, context) => {
    const value = typeof given === "string" && given.trim() === "" ? Number.NaN : Number(given);
    if (fits(value)) return value;
    const wanted = Number.isNaN(value) ? "a number" : otherwise;
    context.addIssue({ code: "custom", message: `must be ${wanted}, not "${given}"` });
    return z.NEVER;
  });
}

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

/** `https://example.org,http://localhost:5173` */
const origins = z.string().transform((text, context) => {
  const found = listed(text);
  for (const origin of found) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      context.addIssue({
        code: "custom",
        message: `must be origins like https://example.org, not "${origin}"`,
      });
      return z.NEVER;
    }
  }
  return found;
});

function listed(text: string): string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part.length > 0);
}

/** `maxBodyBytes` is set by `NODEFLOW_MAX_BODY_BYTES`. */
export function variableOf(limit: keyof Limits): string {
  return `NODEFLOW_${limit.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

const LIMITS = Object.keys(DEFAULT_LIMITS) as (keyof Limits)[];

const KNOWN: ReadonlySet<string> = new Set([
  ...LIMITS.map(variableOf),
  "NODEFLOW_TOKENS",
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
  return Object.keys(variables).filter((name) => name.startsWith("NODEFLOW_") && !KNOWN.has(name));
}

/** Reads the environment. Throws an `EnvironmentError` that names the first variable that is wrong. */
export function readEnvironment(variables: Variables): Environment {
  function read<T>(name: string, schema: z.ZodType<T>): T | undefined {
    const given = variables[name];
    if (given === undefined || given === "") return undefined;
    const result = schema.safeParse(given);
    if (result.success) return result.data;
    throw new EnvironmentError(`${name} ${result.error.issues[0]?.message ?? "is invalid"}`);
  }

  const grants = read("NODEFLOW_TOKENS", tokens) ?? new Map<string, Grant>();
  const rate = readRate(read, grants.size > 0);
  const limits = LIMITS.map((key) => [key, read(variableOf(key), natural(1)) ?? DEFAULT_LIMITS[key]]);
  return {
    port: read("PORT", natural(0, 65_535)) ?? 8787,
    host: read("HOST", z.string().max(255)) ?? "127.0.0.1",
    grants,
    origins: read("NODEFLOW_ORIGINS", origins) ?? [],
    ...(rate && { rate }),
    limits: Object.fromEntries(limits) as unknown as Limits,
    graceMs: read("NODEFLOW_GRACE_MS", natural(0, MAX_DELAY_MS)) ?? 10_000,
    heartbeatMs: read("NODEFLOW_HEARTBEAT_MS", milliseconds) ?? 15_000,
    writeDeadlineMs: read("NODEFLOW_WRITE_DEADLINE_MS", milliseconds) ?? 30_000,
  };
}

type Read = <T>(name: string, schema: z.ZodType<T>) => T | undefined;

/** Callers with tokens are limited unless told otherwise; without tokens there is only one, on this machine. */
function readRate(read: Read, always: boolean): Rate | undefined {
  const perSecond = read("NODEFLOW_RATE_PER_SECOND", positive) ?? (always ? 50 : undefined);
  if (perSecond === undefined) return undefined;
  const burst = read("NODEFLOW_RATE_BURST", natural(1)) ?? Math.max(1, Math.ceil(perSecond * 2));
  return { perSecond, burst };
}
