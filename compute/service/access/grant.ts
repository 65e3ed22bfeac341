import type { Limits } from "../../../protocol/index.ts";
import type { PrepareOptions } from "../../engine/index.ts";

/** What a caller may do. */
export interface Grant {
  /** Who is calling: rates, counts and the right to cancel are kept by this name. */
  readonly principal: string;
  /** The only node types that the caller may use; all if absent. */
  readonly nodeTypes?: readonly string[];
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

/** What the engine has to know of a caller. */
export function prepareOptions({ limits, nodeTypes }: Grant, signal: AbortSignal): PrepareOptions {
  return { ...(limits && { limits }), ...(nodeTypes && { nodeTypes }), signal };
}
