import { sha256 } from "@noble/hashes/sha2.js";
import type { Authorize, Grant } from "./grant.ts";

const SCHEME = /^bearer +([A-Za-z0-9\-._~+/]+=*) *$/i;
const encoder = new TextEncoder();
const digest = (token: string) => sha256(encoder.encode(token));

/** Compares all bytes whatever they are: how long it takes tells nothing about where two digests differ. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

/**
 * Bearer tokens (RFC 6750), by token the grant of its owner. Digests are compared, all of them each time, so that
 * neither the length of a token nor its place in the list shows in the time of the answer.
 */
export function bearer(grants: ReadonlyMap<string, Grant>): Authorize {
  const known = [...grants].map(([token, grant]) => ({ digest: digest(token), grant }));
  return (request) => {
    const token = SCHEME.exec(request.headers.get("authorization") ?? "")?.[1];
    if (token === undefined) return 401;
    const given = digest(token);
    let found: Grant | undefined;
    for (const entry of known) if (equal(entry.digest, given)) found = entry.grant;
    return found ?? 401;
  };
}
