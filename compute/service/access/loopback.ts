const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);
const PORT = /:\d{1,5}$/;

/**
 * True for the names by which a machine calls itself. A page elsewhere can make a browser connect to 127.0.0.1 under a
 * name of its own (DNS rebinding); the `Host` header shows that name.
 */
export function isLoopbackHost(host: string | undefined): boolean {
  return host !== undefined && LOOPBACK.has(host.toLowerCase().replace(PORT, ""));
}

/** True for an address that only this machine reaches: what a service without tokens may listen on. */
export function isLoopbackAddress(address: string): boolean {
  return address === "localhost" || address === "::1" || /^127(\.\d{1,3}){3}$/.test(address);
}
