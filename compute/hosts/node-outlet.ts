import { lookup as systemLookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { Agent, buildConnector, fetch } from "undici";
import { NodeflowError } from "../../protocol/index.ts";
import type { Incoming, Outgoing, Outlet } from "../nodes/index.ts";
import { type AddressGuard, NOT_CALLED } from "./address-guard.ts";

const CONNECT_TIMEOUT_MS = 10_000;
/** Node policies decide how long an answer may take; these only end what nobody waits for any more. */
const SILENCE_MS = 300_000;
const CAUSES = 5;

/** Resolves a name to all its addresses. */
export type Resolve = (
  hostname: string,
  callback: (error: Error | null, addresses: readonly { address: string; family: number }[]) => void,
) => void;

const systemResolve: Resolve = (hostname, callback) => systemLookup(hostname, { all: true }, callback);

/** The network as Node reaches it, past a guard that sees each address at the moment of connecting to it. */
export interface NodeOutlet extends Outlet {
  /** Closes what is kept open for further calls. */
  close(): Promise<void>;
}

export function nodeOutlet(guard: AddressGuard, resolve: Resolve = systemResolve): NodeOutlet {
  const agent = new Agent({
    connect: guarded(guard, resolve),
    allowH2: false,
    headersTimeout: SILENCE_MS,
    bodyTimeout: SILENCE_MS,
  });
  return {
    refusal: (url) => guard.refusal(url, { resolved: true }),
    async send({ url, method, headers, body, signal }: Outgoing): Promise<Incoming> {
      if (!headers.has("user-agent")) headers.set("user-agent", "nodeflow");
      try {
        const response = await fetch(url, {
          method,
          headers: [...headers.entries()],
          ...(body !== undefined && { body }),
          signal,
          redirect: "manual",
          dispatcher: agent,
        });
        // Node's streams and the standard's are the same; their types come from different places.
        return response as unknown as Incoming;
      } catch (error) {
        throw refusalIn(error) ?? error;
      }
    },
    close: () => agent.destroy(),
  };
}

/** Connects to addresses that were checked, and to no others: what a name stood for a moment ago doesn't count. */
function guarded(guard: AddressGuard, resolve: Resolve): buildConnector.connector {
  const connectors = new Map<number, buildConnector.connector>();
  return (options, callback) => {
    const { hostname } = options;
    const port = Number(options.port) || (options.protocol === "https:" ? 443 : 80);
    // The system doesn't ask for the address of an address.
    if (isIP(hostname) !== 0 && !guard.allows(hostname, port)) {
      callback(refusal(hostname), null);
      return;
    }
    let connect = connectors.get(port);
    if (!connect) {
      const lookup = checkedLookup(resolve, (address) => guard.allows(address, port));
      connect = buildConnector({ lookup, allowH2: false, timeout: CONNECT_TIMEOUT_MS });
      connectors.set(port, connect);
    }
    connect(options, callback);
  };
}

/** Resolves a name to those of its addresses that may be called. */
function checkedLookup(resolve: Resolve, allows: (address: string) => boolean): LookupFunction {
  return (name, { all, family }, found) => {
    resolve(name, (error, addresses) => {
      const allowed = error ? [] : addresses.filter(({ address }) => allows(address));
      const wanted = allowed.filter((entry) => !family || family === entry.family);
      const [first] = wanted;
      if (error) found(error, "");
      else if (!first) found(refusal(name), "");
      else if (all) found(null, wanted);
      else found(null, first.address, first.family);
    });
  };
}

function refusal(hostname: string): NodeflowError {
  return new NodeflowError("UPSTREAM_ERROR", `${hostname} ${NOT_CALLED}`, { retryable: false });
}

function refusalIn(error: unknown): NodeflowError | null {
  for (let at = error, depth = 0; at instanceof Error && depth < CAUSES; depth++, at = at.cause) {
    if (at instanceof NodeflowError) return at;
    if (at instanceof AggregateError) return refusalIn(at.errors[0]);
  }
  return null;
}
