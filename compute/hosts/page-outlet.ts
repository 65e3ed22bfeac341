import type { Outgoing, Outlet } from "../nodes/index.ts";

/**
 * The network as pages reach it: what they may call is for the browser and for CORS to say. It follows redirects by itself,
 * since pages aren't shown them.
 */
export function pageOutlet(): Outlet {
  return {
    refusal: ({ protocol }) => (/^https?:$/.test(protocol) ? null : `${protocol} is not called here`),
    send: ({ url, method, headers, body, signal }: Outgoing) =>
      fetch(url, { method, headers, signal, credentials: "omit", ...(body !== undefined && { body }) }),
  };
}
