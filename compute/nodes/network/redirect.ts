/** A request to be sent, as the one who follows redirects sees it. */
export interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  /** Names of headers that hold a secret of the host, in lower case. */
  readonly secret?: ReadonlySet<string>;
}

/**
 * The headers that go on to another origin, unless they hold a secret. All others stay: any of them may be what lets the
 * caller in at the first one, not only `authorization` and `cookie`.
 */
const TRAVELS = new Set([
  "accept",
  "accept-encoding",
  "accept-language",
  "content-encoding",
  "content-language",
  "content-type",
  "idempotency-key",
  "traceparent",
  "user-agent",
]);

const WITH_BODY = ["content-encoding", "content-language", "content-length", "content-type"];

/**
 * Where an answer sends the request, or null if it doesn't: the rules of the Fetch standard (HTTP-redirect fetch) for
 * methods and bodies. Throws a TypeError for a location that isn't one.
 */
export function redirectOf(hop: Hop, status: number, location: string | null): Hop | null {
  if (location === null || ![301, 302, 303, 307, 308].includes(status)) return null;
  const url = new URL(location, hop.url);
  url.hash = "";
  const headers = new Headers(hop.headers);
  if (url.origin !== hop.url.origin) {
    for (const name of hop.headers.keys())
      if (!TRAVELS.has(name) || hop.secret?.has(name)) headers.delete(name);
  }
  const { method, body, secret } = hop;
  const kept = secret && { secret };
  const get = status === 303 ? method !== "GET" && method !== "HEAD" : status < 303 && method === "POST";
  if (!get) return { url, method, headers, ...(body !== undefined && { body }), ...kept };
  for (const name of WITH_BODY) headers.delete(name);
  return { url, method: "GET", headers, ...kept };
}
