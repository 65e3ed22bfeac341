import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS, finish, JsonReader, readJson, readJsonSteps } from "../../../protocol/index.ts";
import { anyValue, codeOf, cut, cuts, same } from "./value.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function readCut(text: string, shares: readonly number[]): unknown {
  const reader = new JsonReader();
  for (const piece of cut(bytesOf(text), shares)) reader.push(piece);
  return reader.end();
}

/** Long enough that the reader builds it from many runs. */
function large(records: number): unknown {
  return {
    workflow: {
      nodes: Array.from({ length: records }, (_, i) => ({
        id: `n${i}`,
        data: { text: `"é😀\\${i}`, list: [[], {}] },
      })),
      edges: [],
    },
    inputs: { "a b": [1, 2, { deep: [[["x".repeat(5_000)]]] }], "": null, $bytes: true },
    tail: [[[]], "end"],
  };
}

describe("JsonReader", () => {
  it("reads what JSON.parse reads, cut anywhere", () => {
    fc.assert(
      fc.property(fc.json(), cuts, (text, shares) => {
        same(readCut(text, shares), JSON.parse(text));
      }),
    );
  });

  it("reads large bodies in many runs, cut anywhere, with white space anywhere", () => {
    const value = large(4_000);
    fc.assert(
      fc.property(cuts, fc.constantFrom(undefined, 1, "\r\n\t"), (shares, space) => {
        same(readCut(JSON.stringify(value, null, space), shares), value);
      }),
      { numRuns: 30 },
    );
  });

  it("refuses what JSON.parse refuses, in large bodies too, wherever one character is changed", () => {
    const text = JSON.stringify(large(2_500));
    const place = fc.integer({ min: 0, max: text.length - 1 });
    const other = fc.constantFrom(",", ":", "{", "}", "[", "]", '"', "\\", "x", " ", "1", "\n", "");
    fc.assert(
      fc.property(place, other, cuts, (at, char, shares) => {
        // Half a surrogate pair would not survive UTF-8.
        const changed = (text.slice(0, at) + char + text.slice(at + 1)).toWellFormed();
        let expected: unknown;
        try {
          expected = JSON.parse(changed);
        } catch {
          expect(codeOf(() => readCut(changed, shares))).toBe("INVALID_REQUEST");
          return;
        }
        same(readCut(changed, shares), expected);
      }),
      { numRuns: 150 },
    );
  });

  it.each([
    ["[1,2", "ends too early at line 1, column 5 (offset 4)"],
    ["", "ends too early at line 1, column 1 (offset 0)"],
    ["[1,]", "line 1, column 4 (offset 3)"],
    ['{"a":1,}', "(offset 7)"],
    ['{"a" 1}', "(offset 5)"],
    ["[}", "(offset 1)"],
    ["]", "(offset 0)"],
    ["[1] 2", "(offset 4)"],
    ["nul", "(offset 0)"],
    ["\n\n  [tru]", "line 3, column 4 (offset 5)"],
    ["[1,\n 01]", "line 2, column 3"],
    ["{'a':1}", "(offset 1)"],
    ['"\u0001"', "(offset 0)"],
  ])("tells where %j goes wrong", (text, message) => {
    expect(codeOf(() => readJson(text))).toBe("INVALID_REQUEST");
    expect(() => readJson(text)).toThrow(message);
  });

  it("tells lines and columns in a body of many runs", () => {
    const text = JSON.stringify(large(4_000), null, 1);
    const broken = `${text.slice(0, -1)}?`;
    const lines = text.split("\n").length;
    expect(() => readJson(broken)).toThrow(`line ${lines}, column 1 (offset ${text.length - 1})`);
  });

  it("keeps __proto__ an own key, also where it is built from runs", () => {
    const value = JSON.parse(`{"__proto__":{"list":[${"1,".repeat(50_000)}1]},"b":1}`);
    const read = readJson(JSON.stringify(value)) as object;
    same(Object.keys(read), ["__proto__", "b"]);
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect(JSON.stringify(read)).toBe(JSON.stringify(value));
  });

  it("refuses depth, bytes, numbers of values and what isn't UTF-8 before building anything", () => {
    expect(codeOf(() => readJson("[".repeat(100_000)))).toBe("INVALID_REQUEST");
    expect(codeOf(() => readJson('{"a":'.repeat(100_000)))).toBe("INVALID_REQUEST");
    expect(codeOf(() => readJson("[1,2,3]", { ...DEFAULT_LIMITS, maxBodyBytes: 6 }))).toBe(
      "PAYLOAD_TOO_LARGE",
    );
    expect(
      codeOf(() => readJson(`[${"[],".repeat(999)}1]`, { ...DEFAULT_LIMITS, maxBodyItems: 5_000 })),
    ).toBe("PAYLOAD_TOO_LARGE");
    expect(codeOf(() => readJson(Uint8Array.of(0x22, 0xff, 0x22)))).toBe("INVALID_REQUEST");
    expect(codeOf(() => readJson(Uint8Array.of(0x22, 0xe2, 0x82)))).toBe("INVALID_REQUEST");
  });

  it("counts levels alike in small bodies and in pieces, whatever brackets stand in strings", () => {
    const limits = { ...DEFAULT_LIMITS, maxDepth: 4 };
    const most = 4 + 8;
    const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
    for (const before of ["[]", '"]]]]"', '"[[[["', '"\\"]]"', '"\\\\","]]"', '{"]":"}"}', '[["\\u005d"]]']) {
      const deepest = `[${before},${nested(most - 1)}]`;
      same(readJson(deepest, limits), JSON.parse(deepest));
      expect(codeOf(() => readJson(`[${before},${nested(most)}]`, limits))).toBe("INVALID_REQUEST");
    }
  });

  it("takes a byte order mark, as JSON.parse doesn't and files have", () => {
    same(readJson(bytesOf("\ufeff[1]")), [1]);
  });

  it("reads one long text, number or space without copying it again and again", () => {
    for (const text of [`{"a":"${"x".repeat(3e6)}"}`, `[1${"0".repeat(3e6)}]`, `[${" ".repeat(3e6)}1]`]) {
      same(finish(readJsonSteps(bytesOf(text))), JSON.parse(text));
    }
  });

  it("reads any value", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const text = JSON.stringify(value);
        same(readJson(text), JSON.parse(text));
      }),
    );
  });
});
