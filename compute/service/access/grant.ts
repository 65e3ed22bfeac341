import type { Limits } from "../../../protocol/index.ts";
import type { PrepareOptions, Secrets } from "../../engine/index.ts";

/** What a caller may do. */
export interface Grant {
  /** Who is calling: rates, counts and the right to cancel are kept by this name. */
  readonly principal: string;
  /** The only node types that the caller may use; all if absent. */
  readonly nodeTypes?: readonly string[];
  /** The secrets of the host that the caller may use, by name; none if absent. */
  readonly secrets?: readonly string[];
  /** Caps of this caller, where they are lower than the host's. */
  readonly limits?: Partial<Limits>;
}

/** Decides who is calling: a grant, 401 for nobody known, 403 for somebody who may not. */
export type Authorize = (request: Request) => Grant | 401 | 403 | Promise<Grant | 401 | 403>;

/** For a service that only its own machine can reach. */
export const anyone: Authorize = () => ANYONE;
const ANYONE: Grant = { principal: "local" };

/** The caps in force for a caller: the lower of the host's and its own. */
export function limitsOf(grant: Grant, limits: Limits): Limits {
  if (!grant.limits) return limits;
  const lower = Object.entries(grant.limits).map(([name, own]) => [
    name,
    Math.min(own, limits[name as keyof Limits]),
  ]);
  return { ...limits, ...Object.fromEntries(lower) };
}

/** What of a request, other than its body, the engine has to know. */
export interface Caller {
  readonly grant: Grant;
  readonly traceparent: string | undefined;
  readonly signal: AbortSignal;
}

/** What the engine has to know of a caller, on a host with these secrets. */
export function prepareOptions(caller: Caller, hostSecrets: Secrets | undefined): PrepareOptions {
  const { grant, traceparent, signal } = caller;
  const { limits, nodeTypes, secrets = [] } = grant;
  return {
    ...(limits && { limits }),
    ...(nodeTypes && { nodeTypes }),
    ...(hostSecrets && secrets.length > 0 && { secrets: only(secrets, hostSecrets) }),
    caller: grant.principal,
    ...(traceparent !== undefined && { traceparent }),
    signal,
  };
}

function only(names: readonly string[], secrets: Secrets): Secrets {
  return {
    has: (name) => names.includes(name) && secrets.has(name),
    reveal: (name, origin) => (names.includes(name) ? secrets.reveal(name, origin) : null),
  };
}
