import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = readonly [address: Address, prefix: number];

/** Everything that is given out to hosts of the internet; what else there is of IPv6 is not, or not yet. */
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR("2000::/3");
/** IPv4 addresses as hosts without IPv4 see them (RFC 6052): each is what it stands for. */
const NAT64 = ipaddr.IPv6.parseCIDR("64:ff9b::/96");

/** Said of an address. It says no more of what a name stands for: that is not for strangers to know. */
export const NOT_CALLED =
  "is not called from here: only public addresses are, and networks that NODEFLOW_ALLOW_NETWORKS names (127.0.0.0/8 is this machine)";

/** What may be called. */
export interface GuardRules {
  /** Networks that may be called although they aren't public, on any port: `127.0.0.0/8`, `fd00::/8`. */
  readonly networks: readonly string[];
  /** Ports that may be called elsewhere. */
  readonly ports: ReadonlySet<number>;
}

/**
 * Tells addresses that a stranger's workflow may call from those that only this machine and its neighbours should: loopback,
 * private and link-local ranges, metadata services, and whatever else isn't a host of the internet. Spellings don't matter: it
 * looks at hosts only after `new URL` has read them, and at addresses as the resolver gives them.
 */
export class AddressGuard {
  readonly #networks: readonly Range[];
  readonly #ports: ReadonlySet<number>;

  constructor({ networks, ports }: GuardRules) {
    this.#networks = networks.map((network) => ipaddr.parseCIDR(network));
    this.#ports = ports;
  }

  /** Whether this address may be called on this port. */
  allows(text: string, port: number): boolean {
    if (!ipaddr.isValid(text)) return false;
    const address = embedded(ipaddr.parse(text));
    if (this.#networks.some((range) => within(address, range))) return true;
    return isPublic(address) && this.#ports.has(port);
  }

  /**
   * Why nothing at this URL may be called, as far as the URL tells; null if it may. Where the address that a name stands for
   * is seen later (`resolved`), it decides about the port as well.
   */
  refusal(url: URL, { resolved }: { readonly resolved: boolean }): string | null {
    const { protocol, hostname, username, password, host } = url;
    if (protocol !== "http:" && protocol !== "https:")
      return `${protocol} is not called here, only http: and https:`;
    if (username !== "" || password !== "") return "A URL with a name and password in it is not called here";
    const address = addressOf(hostname);
    if (address !== null) return this.allows(address, portOf(url)) ? null : `${host} ${NOT_CALLED}`;
    const later = resolved && this.#networks.length > 0;
    return later || this.#ports.has(portOf(url))
      ? null
      : `Port ${portOf(url)} is not called from here: NODEFLOW_ALLOW_PORTS says which are, and NODEFLOW_ALLOW_NETWORKS where every port is (127.0.0.0/8 is this machine)`;
  }
}

/** The address that a URL's host is, without the brackets of IPv6; null if it is a name. */
export function addressOf(hostname: string): string | null {
  const bare = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
  return ipaddr.isValid(bare) ? bare : null;
}

export function portOf({ port, protocol }: URL): number {
  if (port !== "") return Number(port);
  return protocol === "https:" ? 443 : 80;
}

/** True for text like `10.0.0.0/8` or `fd00::/8`. */
export function isNetwork(text: string): boolean {
  return ipaddr.isValidCIDR(text);
}

/** The address that is really called: an IPv4 address written as IPv6 is that IPv4 address. */
function embedded(address: Address): Address {
  if (!(address instanceof ipaddr.IPv6)) return address;
  if (address.isIPv4MappedAddress()) return address.toIPv4Address();
  return address.match(NAT64) ? new ipaddr.IPv4(address.toByteArray().slice(12)) : address;
}

function isPublic(address: Address): boolean {
  if (address.range() !== "unicast") return false;
  return address instanceof ipaddr.IPv4 || address.match(GLOBAL_IPV6);
}

function within(address: Address, [network, prefix]: Range): boolean {
  if (address instanceof ipaddr.IPv4) return network instanceof ipaddr.IPv4 && address.match(network, prefix);
  return network instanceof ipaddr.IPv6 && address.match(network, prefix);
}
