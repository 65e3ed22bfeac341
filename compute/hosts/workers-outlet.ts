import type { Outgoing, Outlet } from "../nodes/index.ts";
import { type AddressGuard, addressOf, NOT_CALLED } from "./address-guard.ts";

/**
 * The network as Workers reach it. Names are resolved by the platform, which keeps to public addresses (the compatibility
 * flag `global_fetch_strictly_public`); what a URL says by itself is checked here.
 */
export function workersOutlet(guard: AddressGuard): Outlet {
  return {
    refusal: (url) => guard.refusal(url, { resolved: false }) ?? localName(url),
    send: ({ url, method, headers, body, signal }: Outgoing) =>
      fetch(url, { method, headers, signal, redirect: "manual", ...(body !== undefined && { body }) }),
  };
}

/** Names that stand for the machine itself wherever they are resolved (RFC 6761). */
function localName({ hostname }: URL): string | null {
  const name = hostname.replace(/\.$/, "");
  if (addressOf(hostname) !== null || !(name === "localhost" || name.endsWith(".localhost"))) return null;
  return `${hostname} ${NOT_CALLED}`;
}
