import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { Redaction } from "../../../compute/engine/redact/redaction.ts";
import { NodeflowError } from "../../../protocol/index.ts";
import { Prng } from "../../support/random.ts";

const SECRET = 'sk-live/7+"q=\\&ü 0123456789';
const MARK = "[secret KEY]";
const seed = Number(process.env["NODEFLOW_SEED"] ?? 20_261_120);

function redaction(secret = SECRET) {
  const made = new Redaction();
  made.add("KEY", secret);
  return made;
}

const bytes = Buffer.from(SECRET);
const base64 = (before: string, after = "") => Buffer.from(before + SECRET + after).toString("base64");

/** Every way in which a server may repeat what it was sent. */
const ECHOES: readonly (readonly [name: string, text: string])[] = [
  ["as it is", SECRET],
  ["JSON", JSON.stringify({ key: SECRET })],
  ["JSON with escaped slashes", JSON.stringify(SECRET).replaceAll("/", "\\/")],
  ["JSON in ASCII", JSON.stringify(SECRET).replaceAll("ü", "\\u00fc")],
  ["JSON in JSON", JSON.stringify(JSON.stringify({ key: SECRET }))],
  ["a URL's query", `?key=${encodeURIComponent(SECRET)}`],
  [
    "a URL's query in lower case",
    `?key=${encodeURIComponent(SECRET).replace(/%../g, (it) => it.toLowerCase())}`,
  ],
  ["a form", new URLSearchParams({ key: SECRET }).toString()],
  ["every byte percent-encoded", [...bytes].map((byte) => `%${byte.toString(16)}`).join("")],
  ["HTML", "<p>sk-live/7+&quot;q=\\&amp;ü 0123456789</p>"],
  ["hexadecimal digits", bytes.toString("hex")],
  ["hexadecimal digits in capitals", bytes.toString("hex").toUpperCase()],
  ...["", "a", "ab", "abc"].flatMap((before) =>
    ["", "z", "zy"].flatMap((after) => [
      [`base64 between "${before}" and "${after}"`, base64(before, after)] as const,
      [
        `base64url between "${before}" and "${after}"`,
        Buffer.from(before + SECRET + after).toString("base64url"),
      ] as const,
    ]),
  ),
];

/** What of the secret can still be read: its characters, in any of the spellings. */
function readable(text: string): boolean {
  const core = Buffer.from("0123456789");
  const inner = [0, 1, 2].map((before) =>
    Buffer.concat([Buffer.alloc(before), core])
      .toString("base64")
      .slice(3, 3 + 9),
  );
  const clues = ["0123456789", "sk-live", core.toString("hex"), "%30%31%32", ...inner];
  return clues.some((clue) => text.toLowerCase().includes(clue.toLowerCase()));
}

describe("a secret in a text", () => {
  test.each(ECHOES)("is found as %s", (_, echo) => {
    expect(readable(echo)).toBe(true);
    const text = redaction().text(`before ${echo} after`);
    expect(readable(text)).toBe(false);
    expect(text).toContain(MARK);
    expect(text.startsWith("before ")).toBe(true);
    expect(text.endsWith(" after")).toBe(true);
  });

  test.each(ECHOES)("is found as %s, cut anywhere", (_, echo) => {
    const random = new Prng(seed);
    const whole = `before ${echo} between ${echo} after`;
    const expected = redaction().text(whole);
    for (let round = 0; round < 50; round++) {
      const made = redaction();
      let text = "";
      let coded = "";
      for (let at = 0; at < whole.length; ) {
        const size = random.int(1, round === 0 ? 1 : 40);
        text += made.textPiece("out", whole.slice(at, at + size));
        at += size;
        // Nothing of it may be out even for a moment.
        expect(readable(text), `seed ${seed}, round ${round}`).toBe(false);
      }
      const given = Buffer.from(whole);
      const parts: Uint8Array[] = [];
      for (let at = 0; at < given.length; ) {
        const size = random.int(1, 40);
        parts.push(made.bytesPiece("bytes", given.subarray(at, at + size)));
        at += size;
      }
      for (const { handle, value } of made.end()) {
        if (handle === "out") text += value;
        else parts.push(value as Uint8Array);
      }
      coded = Buffer.concat(parts).toString();
      expect(text, `seed ${seed}, round ${round}`).toBe(expected);
      expect(coded, `seed ${seed}, round ${round}`).toBe(expected);
    }
  });

  test("that overlaps itself is replaced as one", () => {
    const made = redaction("abcabcab");
    expect(made.text("-abcabcabcabcab-")).toBe(`-${MARK}-`);
    let text = "";
    for (const char of "-abcabcabcabcab-") text += made.textPiece("out", char);
    expect(text).toBe(`-${MARK}-`);
  });

  test("holds back no more than could be its beginning", () => {
    const made = redaction();
    expect(made.textPiece("out", "harmless!")).toBe("harmless!");
    expect(made.textPiece("out", " text s")).toBe(" text ");
    expect(made.textPiece("out", "k-live")).toBe("");
    expect(made.textPiece("out", "!")).toBe("sk-live!");
  });

  test("with a scheme is found without it, too", () => {
    expect(redaction("Bearer abcdefghij").text("token abcdefghij")).toBe(`token ${MARK}`);
    const basic = `Basic ${Buffer.from("user:correct horse").toString("base64")}`;
    expect(redaction(basic).text("password correct horse")).toBe(`password ${MARK}`);
  });
});

describe("a secret in anything else", () => {
  test("is found in values: texts, keys, bytes, and numbers that are one", () => {
    const value = {
      list: [SECRET, 7, null, true],
      [SECRET]: { deep: `a${SECRET}` },
      bytes: new Uint8Array(bytes),
    };
    expect(redaction().value(value)).toEqual({
      list: [MARK, 7, null, true],
      [MARK]: { deep: `a${MARK}` },
      bytes: new Uint8Array(Buffer.from(MARK)),
    });
    expect(redaction("1234567890").value([1_234_567_890, 123])).toEqual([MARK, 123]);
    const harmless = { a: [1, "b"] };
    expect(redaction().value(harmless)).toBe(harmless);
  });

  test("is found in bytes as headers carry them", () => {
    const latin1 = Buffer.from(SECRET, "latin1");
    expect(redaction().value(new Uint8Array(latin1))).toEqual(new Uint8Array(Buffer.from(MARK)));
  });

  test("is found in errors, whose causes are left behind", () => {
    const error = new NodeflowError("UPSTREAM_ERROR", `No ${SECRET}`, {
      details: { body: SECRET, status: 400 },
      cause: new Error(SECRET),
      nodeId: "a",
    });
    const told = redaction().error(error);
    expect(told.toJSON()).toMatchObject({
      message: `No ${MARK}`,
      details: { body: MARK, status: 400 },
      nodeId: "a",
    });
    expect(readable(inspect(told, { depth: 10 }))).toBe(false);
  });

  test("that an error's text was cut off in is found by its beginning", () => {
    for (const echo of [SECRET, encodeURIComponent(SECRET), bytes.toString("hex")]) {
      for (let length = 4; length < echo.length; length++) {
        const body = `The body: ${echo.slice(0, length)}`;
        const error = new NodeflowError("UPSTREAM_ERROR", body, { details: { body } });
        const told = redaction().error(error).toJSON();
        expect(told).toMatchObject({ message: `The body: ${MARK}`, details: { body: `The body: ${MARK}` } });
      }
    }
  });

  test("isn't told by what keeps it", () => {
    const made = redaction();
    made.textPiece("out", "x");
    for (const text of [inspect(made, { depth: 10, showHidden: true }), JSON.stringify(made), String(made)])
      expect(readable(text)).toBe(false);
  });
});
