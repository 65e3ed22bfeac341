import { describe, expect, test } from "vitest";
import { AddressGuard } from "../../../compute/hosts/address-guard.ts";

const ports = new Set([80, 443]);
const guard = new AddressGuard({ networks: [], ports });

/** The special-purpose registries of IANA, an address of each range, and both ends where they matter. */
const REFUSED = [
  ["0.0.0.0", "0.255.255.255"],
  ["10.0.0.0", "10.255.255.255"],
  ["100.64.0.0", "100.127.255.255"],
  ["127.0.0.0", "127.255.255.255"],
  ["169.254.0.0", "169.254.169.254", "169.254.255.255"],
  ["172.16.0.0", "172.31.255.255"],
  ["192.0.0.0", "192.0.0.170", "192.0.0.255"],
  ["192.0.2.1", "198.51.100.1", "203.0.113.1"],
  ["192.88.99.1"],
  ["192.168.0.0", "192.168.255.255"],
  ["198.18.0.0", "198.19.255.255"],
  ["224.0.0.1", "239.255.255.255"],
  ["240.0.0.1", "255.255.255.255"],
  ["::", "::1", "::7f00:1", "::a9fe:a9fe"],
  ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1"],
  ["64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1"],
  ["100::1", "2001::1", "2001:2::1", "2001:db8::1", "2001:10::1", "2001:20::1"],
  ["2002:7f00:1::1", "2002:808:808::1", "3fff::1", "5f00::1"],
  ["fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1"],
  ["4000::1", "8000::1", "1::1"],
].flat();

const PUBLIC = [
  "1.1.1.1",
  "8.8.8.8",
  "93.184.216.34",
  "100.63.255.255",
  "100.128.0.0",
  "172.15.255.255",
  "172.32.0.0",
  "2606:4700:4700::1111",
  "2a00:1450:4001:80b::200e",
  "::ffff:8.8.8.8",
  "64:ff9b::8.8.8.8",
];

describe("which addresses may be called", () => {
  test.each(REFUSED)("not %s", (address) => {
    expect(guard.allows(address, 443)).toBe(false);
  });
  test.each(PUBLIC)("%s", (address) => {
    expect(guard.allows(address, 443)).toBe(true);
    expect(guard.allows(address, 22)).toBe(false);
  });
  test.each(["", "localhost", "999.1.1.1", "::g", "127.0.0.1:80"])("nothing that isn't one: %s", (text) => {
    expect(guard.allows(text, 443)).toBe(false);
  });

  test("those of networks that the host allows, on any port, however they are written", () => {
    const own = new AddressGuard({ networks: ["127.0.0.0/8", "10.1.0.0/16", "fd00::/8"], ports });
    for (const address of [
      "127.0.0.1",
      "127.9.9.9",
      "10.1.2.3",
      "::ffff:127.0.0.1",
      "64:ff9b::10.1.2.3",
      "fd12::1",
    ])
      expect(own.allows(address, 11_434)).toBe(true);
    for (const address of ["10.2.0.1", "::1", "fe80::1", "169.254.169.254"])
      expect(own.allows(address, 80)).toBe(false);
  });

  test("an IPv6 network as wide as all mapped addresses doesn't allow IPv4 ones", () => {
    expect(new AddressGuard({ networks: ["::/0"], ports }).allows("::ffff:127.0.0.1", 80)).toBe(false);
  });
});

describe("which URLs may be called, before anything is resolved", () => {
  const refusal = (url: string) => guard.refusal(new URL(url), { resolved: true });
  test.each([
    "ftp://example.org/",
    "file:///etc/passwd",
    "data:,x",
    "https://user@example.org/",
    "https://:password@example.org/",
    "http://127.0.0.1/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://[::1]/",
    "http://example.org:22/",
  ])("not %s", (url) => {
    expect(refusal(url)).not.toBeNull();
  });
  test.each(["http://example.org/", "https://example.org/", "https://1.1.1.1/"])("%s", (url) => {
    expect(refusal(url)).toBeNull();
  });
});
