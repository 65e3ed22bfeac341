import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Resolve } from "../../../compute/hosts/node-outlet.ts";
import { Prng } from "../../support/random.ts";
import { calling } from "./calling.ts";
import { type Upstream, upstream } from "./upstream.ts";

const seed = Number(process.env["NODEFLOW_SEED"] ?? 20_261_120);
const SPELLINGS = 600;

/** Something on this machine that no workflow may reach, on every address it has. */
let canary: Upstream;
beforeAll(async () => {
  canary = await upstream({ "/": (response) => void response.end('"reached"') }, { host: "::" });
});
afterAll(() => canary?.[Symbol.asyncDispose]());

const ANY_PORT = { NODEFLOW_ALLOW_PORTS: "1-65535" };

/** One number of an address, in any way that `new URL` reads: decimal, octal, hexadecimal. */
function spellNumber(random: Prng, value: number): string {
  switch (random.int(0, 3)) {
    case 0:
      return `0x${"0".repeat(random.int(0, 3))}${random.chance(0.5) ? value.toString(16) : value.toString(16).toUpperCase()}`;
    case 1:
      return `0${"0".repeat(random.int(0, 3))}${value.toString(8)}`;
    default:
      return String(value);
  }
}

/** Digits and dots that Unicode's compatibility mapping turns into the usual ones. */
function disguise(random: Prng, text: string): string {
  const digits = ["０", "𝟎", "𝟘", "𝟢", "𝟬", "𝟶"].map((zero) => zero.codePointAt(0) ?? 0);
  return Array.from(text, (char) => {
    if (!random.chance(0.4)) return char;
    if (/\d/.test(char)) return String.fromCodePoint(random.pick(digits) + Number(char));
    if (char === ".") return random.pick(["。", "．", "｡"]);
    if (/[a-z]/i.test(char)) return String.fromCodePoint((char.codePointAt(0) ?? 0) - 0x21 + 0xff01);
    return char;
  }).join("");
}

function percentEncode(random: Prng, text: string): string {
  return Array.from(text, (char) =>
    random.chance(0.3) ? `%${char.charCodeAt(0).toString(16).padStart(2, "0")}` : char,
  ).join("");
}

function spellIpv4(random: Prng, [a, b, c, d]: readonly [number, number, number, number]): string {
  const number = (value: number) => spellNumber(random, value);
  const host = random.pick([
    () => [a, b, c, d].map(number).join("."),
    () => [number(a), number(b), number(c * 256 + d)].join("."),
    () => [number(a), number((b * 256 + c) * 256 + d)].join("."),
    () => number(((a * 256 + b) * 256 + c) * 256 + d),
  ])();
  const dotted = random.chance(0.2) ? `${host}.` : host;
  return random.pick([
    (it: string) => it,
    (it: string) => disguise(random, it),
    (it: string) => percentEncode(random, it),
  ])(dotted);
}

/** The ways in which an IPv6 address can stand for an IPv4 address. */
function spellIpv6(random: Prng, [a, b, c, d]: readonly [number, number, number, number]): string {
  const high = (a * 256 + b).toString(16);
  const low = (c * 256 + d).toString(16);
  const dotted = [a, b, c, d].join(".");
  const flipped = [0xffff ^ (a * 256 + b), 0xffff ^ (c * 256 + d)].map((part) => part.toString(16)).join(":");
  const address = random.pick([
    `::ffff:${high}:${low}`,
    `::ffff:${dotted}`,
    `0:0:0:0:0:ffff:${high}:${low}`,
    `::${high}:${low}`,
    `::${dotted}`,
    `::ffff:0:${high}:${low}`,
    `64:ff9b::${dotted}`,
    `64:ff9b:1::${high}:${low}`,
    `2002:${high}:${low}::`,
    `2002:${high}:${low}::1`,
    `2001:0:5ef5:79fb:0:0:${flipped}`,
    "::1",
    "0:0:0:0:0:0:0:1",
    "::",
    "fe80::1",
    "fec0::1",
    "fd00::1",
    "ff02::1",
  ]);
  return `[${random.chance(0.5) ? address.toUpperCase() : address}]`;
}

const own = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .filter(({ family, internal }) => family === "IPv4" && !internal)
  .map(
    ({ address }) => address.split(".").map(Number) as unknown as readonly [number, number, number, number],
  );

const TARGETS: readonly (readonly [number, number, number, number])[] = [
  [127, 0, 0, 1],
  [127, 1, 2, 3],
  [0, 0, 0, 0],
  [10, 0, 0, 1],
  [100, 64, 0, 1],
  [169, 254, 169, 254],
  [172, 16, 0, 1],
  [192, 168, 0, 1],
  [255, 255, 255, 255],
  ...own.filter(([a, b]) => a === 10 || (a === 192 && b === 168) || (a === 172 && b >> 4 === 1)),
];

function spell(random: Prng): string {
  const target = random.pick(TARGETS);
  const host = random.chance(0.7) ? spellIpv4(random, target) : spellIpv6(random, target);
  const scheme = random.pick([
    "http://",
    "HTTP://",
    "http:",
    "http:/",
    "http:\\\\",
    "http:////",
    " http://",
    "ht\ntp://",
  ]);
  const slip = random.chance(0.1) ? random.pick(["\t", "\n", "\r"]) : "";
  return `${scheme}${host}${slip}:${canary.port}/`;
}

describe("whatever a workflow calls", () => {
  test("however the address is spelled, nothing on this machine or beside it is reached", async () => {
    const random = new Prng(seed);
    await using host = calling(ANY_PORT);
    const before = canary.connections();
    let refused = 0;
    for (let round = 0; round < SPELLINGS; round++) {
      const url = spell(random);
      const { error, value } = await host.call({ url: "{{url}}" }, { inputs: { url } });
      const where = `seed ${seed}, round ${round}: ${JSON.stringify(url)}`;
      expect(value, where).toBeUndefined();
      expect(error?.retryable, where).toBe(false);
      if (error?.code === "UPSTREAM_ERROR") refused += 1;
      expect(canary.connections(), where).toBe(before);
    }
    // The others are no URLs. Most must be, or nothing was tried.
    expect(refused).toBeGreaterThan(SPELLINGS * 0.8);
  });

  test("the same spellings do reach it where the network is allowed", async () => {
    const random = new Prng(seed);
    await using host = calling({ NODEFLOW_ALLOW_NETWORKS: "127.0.0.0/8,::1/128" });
    let reached = 0;
    for (let round = 0; round < SPELLINGS; round++) {
      const url = spell(random);
      if (!URL.canParse(url) || !/^(?:127\.|\[::ffff:7f|\[::1\])/.test(new URL(url).hostname)) continue;
      if ((await host.call({ url: "{{url}}" }, { inputs: { url } })).value === "reached") reached += 1;
    }
    expect(reached).toBeGreaterThan(SPELLINGS / 10);
  });

  test.each([["localhost"], ["LOCALHOST"], ["localhost."], ["ip6-localhost"]])(
    "the name %s, which is resolved to it, doesn't lead there",
    async (name) => {
      await using host = calling(ANY_PORT);
      const before = canary.connections();
      const { value } = await host.call({ url: `http://${name}:${canary.port}/` });
      expect(value).toBeUndefined();
      expect(canary.connections()).toBe(before);
    },
  );
});

describe("a server that may be called", () => {
  // On an address of its own, so that this one may be called and the canary, on the same port, may not.
  const allowed = { NODEFLOW_ALLOW_NETWORKS: "127.0.0.2/32", ...ANY_PORT };
  let secret: Upstream;
  let server: Upstream;
  let target = "";
  beforeAll(async () => {
    secret = await upstream({ "/": (response) => void response.end('"reached"') }, { host: "127.0.0.1" });
    server = await upstream(
      {
        "/": (response) => void response.writeHead(200, { connection: "close" }).end('"allowed"'),
        "/away": (response) => void response.writeHead(307, { location: target }).end(),
      },
      { host: "127.0.0.2", port: secret.port },
    );
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await secret?.[Symbol.asyncDispose]();
  });

  test("can't redirect there, however it spells it", async () => {
    const random = new Prng(seed + 1);
    await using host = calling(allowed);
    for (let round = 0; round < SPELLINGS / 4; round++) {
      target = encodeURI(spell(random).replace(/[\r\n\t]/g, ""))
        .replaceAll("%25", "%")
        .replaceAll(`:${canary.port}`, `:${secret.port}`);
      const { error, value } = await host.call({ url: `${server.url}/away`, method: "POST", body: "x" });
      expect(value, `seed ${seed}, round ${round}: ${target}`).toBeUndefined();
      expect(error?.retryable).toBe(false);
    }
    expect(server.seen.length).toBeGreaterThanOrEqual(SPELLINGS / 4);
    expect(secret.connections()).toBe(0);
  });

  test("whose name stands for something else a moment later isn't followed there", async () => {
    let lookups = 0;
    const resolve: Resolve = (_, callback) => {
      lookups += 1;
      const address = lookups % 2 === 1 ? "127.0.0.2" : "127.0.0.1";
      callback(null, [{ address, family: 4 }]);
    };
    await using host = calling(allowed, resolve);
    const answers: unknown[] = [];
    for (let round = 0; round < 20; round++) {
      answers.push((await host.call({ url: `http://rebinding.example:${secret.port}/` })).value);
    }
    expect(lookups).toBe(20);
    expect(answers).toEqual(Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? "allowed" : undefined)));
    expect(secret.connections()).toBe(0);
  });

  test("whose name stands for both is called where it may be", async () => {
    const both = ["127.0.0.1", "::1", "127.0.0.2", "::ffff:127.0.0.1"];
    const resolve: Resolve = (_, callback) =>
      callback(
        null,
        both.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
      );
    await using host = calling(allowed, resolve);
    for (let round = 0; round < 10; round++) {
      expect((await host.call({ url: `http://both.example:${secret.port}/` })).value).toBe("allowed");
    }
    expect(secret.connections()).toBe(0);
  });

  test("doesn't tell what a refused name stands for", async () => {
    const resolve: Resolve = (_, callback) => callback(null, [{ address: "10.11.12.13", family: 4 }]);
    await using host = calling(allowed, resolve);
    const { error, updates } = await host.call({ url: "http://inside.example/" });
    expect(error).toMatchObject({ code: "UPSTREAM_ERROR", retryable: false });
    expect(JSON.stringify(updates)).not.toContain("10.11.12.13");
  });
});

describe("ports", () => {
  test("of public addresses are those that are listed; of allowed networks, all", async () => {
    const looked: string[] = [];
    const resolve: Resolve = (name, callback) => {
      looked.push(name);
      callback(null, [{ address: name.startsWith("near") ? "127.0.0.1" : "93.184.216.34", family: 4 }]);
    };
    await using host = calling({ NODEFLOW_ALLOW_NETWORKS: "127.0.0.0/8" }, resolve);
    expect((await host.call({ url: `http://near.example:${canary.port}/` })).value).toBe("reached");
    const { error } = await host.call({ url: "http://far.example:22/" });
    expect(error).toMatchObject({ code: "UPSTREAM_ERROR" });
    await using strict = calling({}, resolve);
    looked.length = 0;
    expect((await strict.call({ url: "http://far.example:6379/" })).error?.retryable).toBe(false);
    expect(looked).toEqual([]);
  });
});
