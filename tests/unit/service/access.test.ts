import { describe, expect, it } from "vitest";
import { bearer } from "../../../compute/service/access/bearer.ts";
import { Buckets } from "../../../compute/service/access/bucket.ts";
import { isLoopbackAddress, isLoopbackHost } from "../../../compute/service/access/loopback.ts";
import { traceIdOf } from "../../../compute/service/traceparent.ts";
import { StillClock } from "./still-clock.ts";

describe("bearer tokens", () => {
  const authorize = bearer(
    new Map([
      ["a-long-enough-token", { principal: "ada" }],
      ["another-long-token==", { principal: "bob" }],
    ]),
  );
  const ask = (authorization?: string) =>
    authorize(
      new Request("http://localhost/", authorization === undefined ? {} : { headers: { authorization } }),
    );

  it("gives each token its owner's grant", () => {
    expect(ask("Bearer a-long-enough-token")).toEqual({ principal: "ada" });
    expect(ask("bearer another-long-token==")).toEqual({ principal: "bob" });
  });

  it.each([
    [undefined],
    [""],
    ["Bearer"],
    ["Bearer "],
    ["Basic a-long-enough-token"],
    ["Bearer a-long-enough-toke"],
    ["Bearer a-long-enough-tokenX"],
    ["Bearer A-LONG-ENOUGH-TOKEN"],
    ["Bearer a-long-enough-token, Bearer another-long-token=="],
    ["a-long-enough-token"],
    ["Bearer __proto__"],
  ])("refuses %j", (authorization) => {
    expect(ask(authorization)).toBe(401);
  });
});

describe("buckets", () => {
  it("let a burst through, then as many as the rate allows", () => {
    const clock = new StillClock();
    const buckets = new Buckets({ perSecond: 10, burst: 3 }, clock);
    expect([1, 2, 3].map(() => buckets.take("ada"))).toEqual([0, 0, 0]);
    expect(buckets.take("ada")).toBe(100);
    clock.advance(100);
    expect(buckets.take("ada")).toBe(0);
    expect(buckets.take("ada")).toBe(100);
  });

  it("keep principals apart", () => {
    const buckets = new Buckets({ perSecond: 1, burst: 1 }, new StillClock());
    expect(buckets.take("ada")).toBe(0);
    expect(buckets.take("ada")).toBeGreaterThan(0);
    expect(buckets.take("bob")).toBe(0);
  });

  it("survive a clock that goes backwards", () => {
    const clock = new StillClock();
    const buckets = new Buckets({ perSecond: 1, burst: 1 }, clock);
    buckets.take("ada");
    clock.advance(-10_000);
    expect(buckets.take("ada")).toBe(1000);
  });
});

describe("loopback", () => {
  it.each(["localhost", "LOCALHOST:8787", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:8787"])(
    "%s is this machine's own name",
    (host) => expect(isLoopbackHost(host)).toBe(true),
  );

  it.each([
    undefined,
    "",
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example:8787",
    "evil.example:127.0.0.1",
    "localhost:8787:80",
    "::1",
    "0.0.0.0",
    "localhost@evil.example",
  ])("%s is not", (host) => expect(isLoopbackHost(host)).toBe(false));

  it("knows the addresses that only this machine reaches", () => {
    expect(["127.0.0.1", "127.9.9.9", "localhost", "::1"].every(isLoopbackAddress)).toBe(true);
    expect(
      ["0.0.0.0", "::", "192.168.0.1", "127.0.0.1.nip.io", "example.org", ""].some(isLoopbackAddress),
    ).toBe(false);
  });
});

describe("traceparent", () => {
  const id = "0af7651916cd43dd8448eb211c80319c";

  it("gives the trace id", () => {
    expect(traceIdOf(`00-${id}-b7ad6b7169203331-01`)).toBe(id);
    expect(traceIdOf(`cc-${id}-b7ad6b7169203331-01-what-the-future-has`)).toBe(id);
  });

  it.each([
    undefined,
    "",
    id,
    `ff-${id}-b7ad6b7169203331-01`,
    `00-${id}-b7ad6b7169203331-01-more`,
    `00-${"0".repeat(32)}-b7ad6b7169203331-01`,
    `00-${id}-${"0".repeat(16)}-01`,
    `00-${id.toUpperCase()}-b7ad6b7169203331-01`,
    `00-${id}-b7ad6b7169203331-01\n`,
  ])("ignores %j", (header) => expect(traceIdOf(header)).toBeUndefined());
});
