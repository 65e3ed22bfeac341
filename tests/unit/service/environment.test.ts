import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import {
  EnvironmentError,
  readEnvironment,
  unknownVariables,
  variableOf,
} from "../../../compute/hosts/environment.ts";
import { DEFAULT_LIMITS } from "../../../protocol/index.ts";

describe("the environment", () => {
  it("has defaults for everything", () => {
    const environment = readEnvironment({});
    expect(environment).toMatchObject({ port: 8787, host: "127.0.0.1", origins: [], limits: DEFAULT_LIMITS });
    expect(environment.grants.size).toBe(0);
    expect(environment.rate).toBeUndefined();
  });

  it("names tokens' owners, and then limits rates", () => {
    const environment = readEnvironment({
      NODEFLOW_TOKENS: "ada:0123456789abcdef, bob:fedcba9876543210,ada:another-token-of-ada",
    });
    expect([...environment.grants.values()].map(({ principal }) => principal)).toEqual(["ada", "bob", "ada"]);
    expect(environment.rate).toEqual({ perSecond: 50, burst: 100 });
  });

  it("sets every limit by its name", () => {
    expect(variableOf("maxBodyBytes")).toBe("NODEFLOW_MAX_BODY_BYTES");
    const { limits } = readEnvironment({ NODEFLOW_MAX_BODY_BYTES: "1024", NODEFLOW_MAX_NODES: 7 });
    expect(limits).toEqual({ ...DEFAULT_LIMITS, maxBodyBytes: 1024, maxNodes: 7 });
  });

  it.each([
    ["PORT", "eighty"],
    ["PORT", "70000"],
    ["PORT", "1.5"],
    ["NODEFLOW_MAX_NODES", "0"],
    ["NODEFLOW_MAX_NODES", "many"],
    ["NODEFLOW_GRACE_MS", "-1"],
    ["NODEFLOW_HEARTBEAT_MS", "99999999999"],
    ["NODEFLOW_ORIGINS", "example.org"],
    ["NODEFLOW_ORIGINS", "https://example.org/"],
    ["NODEFLOW_ORIGINS", "*"],
    ["NODEFLOW_TOKENS", "no-name-here-at-all"],
    ["NODEFLOW_TOKENS", "ada:short"],
    ["NODEFLOW_TOKENS", "ada:with spaces in the token"],
    ["NODEFLOW_RATE_PER_SECOND", "0"],
  ])("refuses %s=%s by the variable's name", (name, value) => {
    expect(() => readEnvironment({ [name]: value })).toThrow(EnvironmentError);
    expect(() => readEnvironment({ [name]: value })).toThrow(name);
  });

  it.each([
    ["PORT", "abc", 'PORT must be a number, not "abc"'],
    ["PORT", " ", 'PORT must be a number, not " "'],
    ["PORT", "70000", 'PORT must be a whole number from 0 to 65535, not "70000"'],
    ["NODEFLOW_MAX_NODES", "1.5", 'NODEFLOW_MAX_NODES must be a whole number from 1, not "1.5"'],
    ["NODEFLOW_RATE_PER_SECOND", "-1", 'NODEFLOW_RATE_PER_SECOND must be a number above 0, not "-1"'],
  ])("says of %s=%s what it must be", (name, value, message) => {
    expect(() => readEnvironment({ [name]: value })).toThrow(message);
  });

  it("knows which variables of ours mean nothing", () => {
    const variables = { NODEFLOW_MAX_NODE: "7", NODEFLOW_MAX_NODES: "7", NODEFLOW_TOKEN: "x", PATH: "/bin" };
    expect(unknownVariables(variables)).toEqual(["NODEFLOW_MAX_NODE"]);
  });

  it("never tells a token", () => {
    const secret = "ada:short!secret";
    expect(() => readEnvironment({ NODEFLOW_TOKENS: secret })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("secret") }),
    );
  });
});

describe("secrets in the environment", () => {
  const TOKENS = "ada:0123456789abcdef,bob:fedcba9876543210,ada:another-token-of-ada";
  const KEY = {
    NODEFLOW_SECRET_KEY: "sk-0123456789",
    NODEFLOW_SECRET_KEY_ORIGINS: "https://api.example.org,http://127.0.0.1:11434",
  };

  it("go where they may, and without origins nowhere", () => {
    const { secrets } = readEnvironment({ ...KEY, NODEFLOW_SECRET_OTHER: "0123456789" });
    expect(secrets.names).toEqual(["KEY", "OTHER"]);
    expect(secrets.reveal("KEY", "https://api.example.org")).toBe("sk-0123456789");
    expect(secrets.reveal("KEY", "http://127.0.0.1:11434")).toBe("sk-0123456789");
    expect(secrets.reveal("KEY", "http://api.example.org")).toBeNull();
    expect(secrets.reveal("KEY", "https://api.example.org:8443")).toBeNull();
    expect(secrets.reveal("OTHER", "https://api.example.org")).toBeNull();
    expect(secrets.reveal("NOBODY", "https://api.example.org")).toBeNull();
  });

  it("are for nobody, or for those who are named", () => {
    const grants = (variables: Record<string, string>) =>
      [...readEnvironment({ ...KEY, NODEFLOW_TOKENS: TOKENS, ...variables }).grants.values()].map((grant) => [
        grant.principal,
        grant.secrets,
      ]);
    expect(grants({})).toEqual([
      ["ada", undefined],
      ["bob", undefined],
      ["ada", undefined],
    ]);
    expect(grants({ NODEFLOW_TOKEN_SECRETS: "ada:KEY" })).toEqual([
      ["ada", ["KEY"]],
      ["bob", undefined],
      ["ada", ["KEY"]],
    ]);
    expect(grants({ NODEFLOW_TOKEN_SECRETS: "bob:*", NODEFLOW_SECRET_B: "0123456789" })[1]).toEqual([
      "bob",
      ["KEY", "B"],
    ]);
  });

  it.each([
    ["NODEFLOW_SECRET_KEY", "short!!"],
    ["NODEFLOW_SECRET_KEY", "two lines\nof secret"],
    ["NODEFLOW_SECRET_KEY", `${"x".repeat(4_097)}`],
    ["NODEFLOW_SECRET_KEY_ORIGINS", "api.example.org"],
    ["NODEFLOW_SECRET_OTHER_ORIGINS", "https://api.example.org"],
    ["NODEFLOW_TOKEN_SECRETS", "carol:KEY"],
    ["NODEFLOW_TOKEN_SECRETS", "ada:NOBODY"],
    ["NODEFLOW_TOKEN_SECRETS", "ada"],
  ])("are refused where %s is %s, by its name and without their value", (name, value) => {
    const variables = { ...KEY, NODEFLOW_TOKENS: TOKENS, [name]: value };
    expect(() => readEnvironment(variables)).toThrow(EnvironmentError);
    expect(() => readEnvironment(variables)).toThrow(name);
    if (name === "NODEFLOW_SECRET_KEY")
      expect(() => readEnvironment(variables)).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining(value.slice(0, 5)) }),
      );
  });

  it("aren't printed with what was read", () => {
    const environment = readEnvironment({ ...KEY, NODEFLOW_TOKENS: TOKENS, NODEFLOW_TOKEN_SECRETS: "ada:*" });
    const printed = [inspect(environment, { depth: 10, showHidden: true }), JSON.stringify(environment)];
    for (const text of [...printed, String(environment.secrets)]) expect(text).not.toContain("sk-0123456789");
  });

  it("are known variables", () => {
    expect(unknownVariables({ ...KEY, NODEFLOW_SECRE: "x" })).toEqual(["NODEFLOW_SECRE"]);
  });
});

describe("what nodes may call", () => {
  it("has defaults: public addresses on the usual ports, at a pace", () => {
    const { outgoing } = readEnvironment({});
    expect(outgoing).toEqual({
      networks: [],
      ports: new Set([80, 443, 8080, 8443]),
      pace: { concurrency: 32, perSecond: 50, burst: 100 },
    });
  });

  it("is set by networks, ports and numbers", () => {
    const { outgoing } = readEnvironment({
      NODEFLOW_ALLOW_NETWORKS: "127.0.0.0/8, fd00::/8",
      NODEFLOW_ALLOW_PORTS: "443, 8000-8002",
      NODEFLOW_CALLS_AT_ONCE: "4",
      NODEFLOW_CALLS_PER_SECOND: "0.5",
      NODEFLOW_CALLS_BURST: 2,
    });
    expect(outgoing).toEqual({
      networks: ["127.0.0.0/8", "fd00::/8"],
      ports: new Set([443, 8000, 8001, 8002]),
      pace: { concurrency: 4, perSecond: 0.5, burst: 2 },
    });
  });

  it.each([
    ["NODEFLOW_ALLOW_NETWORKS", "127.0.0.1"],
    ["NODEFLOW_ALLOW_NETWORKS", "localhost/8"],
    ["NODEFLOW_ALLOW_PORTS", "http"],
    ["NODEFLOW_ALLOW_PORTS", "90-80"],
    ["NODEFLOW_ALLOW_PORTS", "70000"],
    ["NODEFLOW_CALLS_AT_ONCE", "0"],
  ])("refuses %s=%s by the variable's name", (name, value) => {
    expect(() => readEnvironment({ [name]: value })).toThrow(name);
  });
});
