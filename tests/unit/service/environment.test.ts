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
