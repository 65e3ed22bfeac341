import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeJson, hash, idempotencyKeyOf, requestOf, Secret, seedOf } from "../../../protocol/index.ts";
import { anyValue } from "./value.ts";

const reference = (text: string): string =>
  createHash("sha256").update(text).digest("base64url").slice(0, 22);

describe("hash", () => {
  it("is SHA-256 of RFC 8785 with markers, as other implementations compute it", () => {
    fc.assert(
      fc.property(fc.array(anyValue, { maxLength: 4 }), (list) => {
        const marked = JSON.parse(`[${list.map(encodeJson).join(",")}]`);
        expect(hash(list)).toBe(reference(canonicalize(marked)!));
      }),
    );
  });

  it("doesn't depend on the order of keys", () => {
    expect(hash([{ b: 1, a: { d: 2, c: 3 } }])).toBe(hash([{ a: { c: 3, d: 2 }, b: 1 }]));
  });

  it("tells bytes, secrets and objects that look like them apart", () => {
    const alike = [
      new Uint8Array([1]),
      { $bytes: "AQ==" },
      { $$bytes: "AQ==" },
      new Secret("AQ=="),
      { $secret: "AQ==" },
    ];
    expect(new Set(alike.map((value) => hash([value]))).size).toBe(alike.length);
  });

  it("exists for half a surrogate pair, which the RFC refuses", () => {
    expect(hash(["\ud800"])).toBe(reference('["\\ud800"]'));
    expect(hash(["\ud800"])).not.toBe(hash(["\ud801"]));
  });

  it("leaves out what JSON leaves out", () => {
    expect(hash([{ a: undefined, b: 1 }])).toBe(hash([{ b: 1 }]));
  });

  it("refuses depth that no value has, instead of overflowing the stack", () => {
    let deep: unknown = 1;
    for (let i = 0; i < 100_000; i++) deep = [deep];
    expect(() => hash([deep])).toThrow(/nested too deeply/);
  });

  it("makes seeds, idempotency keys and requests of what they depend on", () => {
    expect(seedOf("s", "a/1/b")).toBe(hash(["s", "a/1/b"]));
    expect(idempotencyKeyOf("run", "a")).toBe(hash(["run", "a"]));
    expect(requestOf("ask", "approve", { amount: 3 })).toBe(hash(["ask", "approve", { amount: 3 }]));
  });
});
