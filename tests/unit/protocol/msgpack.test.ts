import fc from "fast-check";
import { Packr, Unpackr } from "msgpackr";
import { describe, expect, it } from "vitest";
import {
  DEFAULT_LIMITS,
  decodeMsgpack,
  type ExecutionUpdate,
  encodeMsgpack,
  MSGPACK_NIL,
  MsgpackReader,
  MsgpackUpdates,
  updateToMsgpack,
  type Value,
} from "../../../protocol/index.ts";
import { anyValue, codeOf, cut, cuts, same } from "./value.ts";

const options = { useRecords: false, structuredClone: false, mapsAsObjects: true };
const plain = (value: unknown): string =>
  JSON.stringify(value, (_, inner) => (ArrayBuffer.isView(inner) ? [...(inner as Uint8Array)] : inner));

describe("MessagePack", () => {
  it("brings back every value, whatever its keys look like", () => {
    fc.assert(fc.property(anyValue, (value) => same(decodeMsgpack(encodeMsgpack(value)), value)));
  });

  it("is what another implementation reads and writes", () => {
    const ordinary = fc
      .jsonValue({ maxDepth: 4 })
      .filter((value) => !JSON.stringify(value).includes("__proto__"));
    fc.assert(
      fc.property(ordinary, (json) => {
        const value = json as Value;
        expect(plain(new Unpackr(options).unpack(encodeMsgpack(value)))).toBe(plain(value));
        expect(plain(decodeMsgpack(new Packr(options).pack(value)))).toBe(plain(value));
      }),
    );
  });

  it("chooses the smallest header at every border", () => {
    const lengths = [0, 10, 11, 15, 16, 24, 25, 31, 32, 255, 256, 65_535, 65_536];
    for (const length of lengths) {
      for (const value of [
        "x".repeat(length),
        "é".repeat(length),
        new Uint8Array(length),
        new Array(length).fill(0),
      ]) {
        const bytes = encodeMsgpack(value as Value);
        expect(bytes.byteLength).toBe(new Packr(options).pack(value).byteLength);
        same(decodeMsgpack(bytes), value);
      }
      const object = Object.fromEntries(Array.from({ length }, (_, i) => [`k${i}`, i]));
      same(decodeMsgpack(encodeMsgpack(object)), object);
    }
    const numbers = [0, 127, 128, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1];
    for (const number of numbers.flatMap((n) => [n, -n, -n - 1])) {
      expect(decodeMsgpack(encodeMsgpack(number))).toBe(number);
    }
  });

  it("has bytes of its own, and escapes only what looks like a secret", () => {
    const value = { bytes: new Uint8Array([1]), own: { $bytes: "AQ==" }, secret: { $secret: "x" } };
    const raw = new MsgpackReader().push(encodeMsgpack(value))[0];
    same(raw, { ...value, secret: { $$secret: "x" } });
  });

  it.each<[string, Uint8Array, string]>([
    ["10 MB of empty lists", filled(10_000_000, 0x90, [0xdd, 0x00, 0x98, 0x96, 0x7b]), "PAYLOAD_TOO_LARGE"],
    ["1e5 levels of lists", filled(100_000, 0x91, []), "INVALID_REQUEST"],
    ["1e5 levels of maps", filled(100_000, 0x81, []), "INVALID_REQUEST"],
    ["a list of 2^32 elements", Uint8Array.of(0xdd, 255, 255, 255, 255), "PAYLOAD_TOO_LARGE"],
    ["a map of 2^32 elements", Uint8Array.of(0xdf, 255, 255, 255, 255), "PAYLOAD_TOO_LARGE"],
    ["bytes of 4 GB", Uint8Array.of(0xc6, 255, 255, 255, 255), "PAYLOAD_TOO_LARGE"],
    ["text of 4 GB", Uint8Array.of(0xdb, 255, 255, 255, 255), "PAYLOAD_TOO_LARGE"],
    ["an extension", Uint8Array.of(0xd4, 1, 1), "INVALID_REQUEST"],
    ["a date", new Packr().pack(new Date(0)), "INVALID_REQUEST"],
    ["a map as such", new Packr().pack(new Map([[1, 2]])), "INVALID_REQUEST"],
    ["a record", new Packr({ useRecords: true }).pack({ a: 1 }), "INVALID_REQUEST"],
    ["undefined", Uint8Array.of(0xc1), "INVALID_REQUEST"],
    ["not a number", Uint8Array.of(0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0), "INVALID_REQUEST"],
    ["infinity", Uint8Array.of(0xca, 0x7f, 0x80, 0, 0), "INVALID_REQUEST"],
    ["a key that is a number", Uint8Array.of(0x81, 1, 1), "INVALID_REQUEST"],
    ["a key that is a list", Uint8Array.of(0x81, 0x91, 1, 1), "INVALID_REQUEST"],
    ["a key that is bytes", Uint8Array.of(0x81, 0xc4, 1, 0x61, 1), "INVALID_REQUEST"],
    [
      "the key __proto__",
      Uint8Array.of(0x81, 0xa9, ...new TextEncoder().encode("__proto__"), 0x80),
      "INVALID_REQUEST",
    ],
    ["text that isn't UTF-8", Uint8Array.of(0xa1, 0xff), "INVALID_REQUEST"],
    ["half a list", Uint8Array.of(0x92, 1), "INVALID_REQUEST"],
    ["half a number", Uint8Array.of(0xcd, 1), "INVALID_REQUEST"],
    ["two values", Uint8Array.of(1, 2), "INVALID_REQUEST"],
    ["nothing", Uint8Array.of(), "INVALID_REQUEST"],
  ])("refuses %s", (_, bytes, code) => {
    expect(codeOf(() => decodeMsgpack(bytes))).toBe(code);
  });

  it("throws nothing but its own errors, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(["nothing thrown", "INVALID_REQUEST", "PAYLOAD_TOO_LARGE"]).toContain(
          codeOf(() => decodeMsgpack(bytes)),
        );
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("a stream of MessagePack", () => {
  const update = (seq: number, value: Value): ExecutionUpdate => ({
    type: "node-output",
    seq,
    timestamp: 0,
    nodeId: "n",
    attempt: 1,
    handle: "out",
    mode: "set",
    value,
  });

  it("gives the same updates however it is cut, without its nils", () => {
    fc.assert(
      fc.property(fc.array(anyValue, { maxLength: 6 }), cuts, (values, shares) => {
        const updates = values.map((value, i) => update(i + 1, value));
        const stream = Buffer.concat(updates.flatMap((each) => [MSGPACK_NIL, updateToMsgpack(each)]));
        const reader = new MsgpackUpdates();
        const read = cut(new Uint8Array(stream), shares).flatMap((piece) => reader.push(piece));
        reader.end();
        same(read, updates);
      }),
    );
  });

  it("counts its caps for each update, not for the stream", () => {
    const reader = new MsgpackUpdates({ ...DEFAULT_LIMITS, maxBodyBytes: 200, maxBodyItems: 40 });
    for (let seq = 1; seq < 100; seq++)
      expect(reader.push(updateToMsgpack(update(seq, "x")))).toHaveLength(1);
    expect(codeOf(() => reader.push(updateToMsgpack(update(100, "x".repeat(200)))))).toBe(
      "PAYLOAD_TOO_LARGE",
    );
  });

  it("notices an end within an update", () => {
    const reader = new MsgpackUpdates();
    reader.push(updateToMsgpack(update(1, "x")).subarray(0, 20));
    expect(codeOf(() => reader.end())).toBe("INVALID_REQUEST");
  });
});

function filled(length: number, byte: number, head: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(length).fill(byte);
  bytes.set(head);
  return bytes;
}
