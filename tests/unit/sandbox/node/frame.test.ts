import { describe, expect, it } from "vitest";
import { encodeFrame, FrameError, FrameReader } from "../../../../compute/sandbox/node/frame.ts";
import { Word } from "../../../../compute/sandbox/node/message.ts";
import { Prng } from "../../../support/random.ts";

const MAX = 1_000;
const words = (...numbers: number[]) => {
  const bytes = Buffer.alloc(4 * numbers.length);
  for (const [at, number] of numbers.entries()) bytes.writeUInt32LE(number >>> 0, 4 * at);
  return bytes;
};

describe("frames", () => {
  it("carry a header and parts: texts as UTF-8, and bytes", () => {
    const frame = encodeFrame({ type: "x" }, ["é", Uint8Array.of(1, 2).buffer, ""]);
    expect(new FrameReader(MAX).push(frame)).toEqual([
      { header: { type: "x" }, parts: [Uint8Array.of(0xc3, 0xa9), Uint8Array.of(1, 2), new Uint8Array()] },
    ]);
  });

  it.each([1, 2, 3])("come out as they went in, however they are cut (seed %i)", (seed) => {
    const random = new Prng(seed);
    const sent = Array.from({ length: 50 }, (_, n) => ({
      header: { n },
      parts: Array.from({ length: random.int(0, 3) }, () => new Uint8Array(random.int(0, 200)).fill(n)),
    }));
    const bytes = Buffer.concat(
      sent.map(({ header, parts }) =>
        encodeFrame(
          header,
          parts.map((part) => part.buffer),
        ),
      ),
    );
    const reader = new FrameReader(MAX);
    const got: unknown[] = [];
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + random.int(1, 300));
      got.push(...reader.push(bytes.subarray(at, end)));
      at = end;
    }
    expect(got).toEqual(sent);
  });

  it("are refused as soon as they say that they are too long", () => {
    expect(() => new FrameReader(MAX).push(words(MAX + 1))).toThrow(FrameError);
    expect(() => new FrameReader(MAX).push(words(0xffffffff, 1))).toThrow(FrameError);
    expect(new FrameReader(MAX).push(words(MAX))).toEqual([]);
  });

  it.each([
    ["nothing in it", words(0)],
    ["no parts", words(4, 0)],
    ["more parts than bytes", words(8, 100_000, 1)],
    ["a part longer than itself", words(12, 1, 500, 0)],
    ["a count that overflows", words(8, 0xffffffff, 0)],
    ["a header that isn't JSON", Buffer.concat([words(10, 1, 2), Buffer.from("{x")])],
  ])("are refused with %s", (_what, bytes) => {
    expect(() => new FrameReader(MAX).push(bytes)).toThrow(FrameError);
  });

  it.each([1, 2, 3])("never throw anything but a FrameError, whatever comes (seed %i)", (seed) => {
    const random = new Prng(seed);
    for (let round = 0; round < 500; round += 1) {
      const bytes = encodeFrame({ type: "taken", state: "value" }, [
        "[1]",
        new Uint8Array(random.int(0, 40)).buffer,
      ]);
      for (let change = random.int(1, 4); change > 0; change -= 1)
        bytes[random.int(0, bytes.length - 1)] = random.int(0, 255);
      try {
        new FrameReader(MAX).push(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(FrameError);
      }
    }
  });
});

describe("words of a child", () => {
  it.each([
    { type: "ready", engine: "x".repeat(65) },
    { type: "taken" },
    { type: "taken", state: "x".repeat(17) },
    { type: "log", level: "fatal", message: "" },
    { type: "log", level: "info", message: "x".repeat(4_097) },
    { type: "start" },
    null,
    [],
    "ready",
  ])("aren't taken where they aren't what was agreed: %j", (word) => {
    expect(Word.safeParse(word).success).toBe(false);
  });
});
