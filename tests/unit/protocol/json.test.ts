import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeJson,
  encodeJson,
  findSecret,
  Secret,
  type UpdateOf,
  updateFromJson,
  updateToJson,
} from "../../../protocol/index.ts";
import { anyValue, codeOf, same } from "./value.ts";

const output = (value: UpdateOf<"node-output">["value"]): UpdateOf<"node-output"> => ({
  type: "node-output",
  seq: 7,
  timestamp: 1_700_000_000_000,
  nodeId: "draw/17/shade",
  attempt: 1,
  handle: "out",
  mode: "set",
  value,
});

describe("JSON", () => {
  it("brings back every value, whatever its keys look like", () => {
    fc.assert(fc.property(anyValue, (value) => same(decodeJson(encodeJson(value)), value)));
  });

  it("brings back half a surrogate pair", () => {
    same(decodeJson(encodeJson({ "\udc00": "\ud83d" })), { "\udc00": "\ud83d" });
  });

  it("doesn't copy values that need no marker", () => {
    const value = { toJSON: 1, list: [{ $bytes: 1, other: 2 }] };
    expect(encodeJson(value)).toBe(JSON.stringify(value));
  });

  it.each([
    ['{"$bytes":"not base64!"}', "/: $bytes"],
    ['{"a":{"$bytes":12}}', "/a: $bytes"],
    ['[{"x":{"$secret":"NAME"}}]', "/0/x: a secret"],
    ['{"a":[{"__proto__":{"admin":true}}]}', "/a/0/__proto__: the key"],
  ])("refuses %s with the place", (text, message) => {
    expect(codeOf(() => decodeJson(text))).toBe("INVALID_REQUEST");
    expect(() => decodeJson(text)).toThrow(message);
  });

  it("never changes a prototype", () => {
    expect(codeOf(() => decodeJson('{"__proto__":{"admin":true}}'))).toBe("INVALID_REQUEST");
    const value = decodeJson('{"constructor":{"prototype":{"admin":true}}}');
    expect(Object.hasOwn(value as object, "constructor")).toBe(true);
    expect(({} as Record<string, unknown>)["admin"]).toBeUndefined();
  });

  it("finds a secret, and nothing that only looks like one", () => {
    expect(findSecret({ headers: [{ value: new Secret("KEY") }] })).toBe("/headers/0/value");
    expect(findSecret({ $secret: "KEY" })).toBeNull();
  });
});

describe("updates in JSON", () => {
  it("mark values in all fields that hold some, and nowhere else", () => {
    fc.assert(
      fc.property(anyValue, anyValue, (a, b) => {
        const updates = [
          output(a),
          {
            type: "input-requested",
            seq: 8,
            timestamp: 0,
            nodeId: "ask",
            request: "r",
            tool: "approve",
            args: a,
            schema: b,
          },
          {
            type: "execution-completed",
            seq: 9,
            timestamp: 0,
            outputs: { $bytes: a, other: b },
            metrics: {
              durationMs: 1,
              nodes: { completed: 1, failed: 0, skipped: 0, reused: 0 },
              retries: 0,
              emissions: 1,
              bytes: 8,
              calls: 0,
            },
          },
        ] as const;
        for (const update of updates) {
          const text = updateToJson(update);
          expect(text).not.toContain("\n");
          same(updateFromJson(text), update);
        }
      }),
    );
  });

  it("leaves out types and fields of later versions", () => {
    expect(updateFromJson('{"type":"node-dreamt","seq":1,"timestamp":0}')).toBeNull();
    same(updateFromJson(updateToJson(output(1)).replace("{", '{"mood":1,')), output(1));
  });

  it.each(["", "null", "[]", "{}", '{"type":"node-skipped","seq":0}', '{"type":5}'])("refuses %j", (text) => {
    expect(codeOf(() => updateFromJson(text))).toBe("INVALID_REQUEST");
  });
});
