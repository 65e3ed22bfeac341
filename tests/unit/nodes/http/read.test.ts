import { describe, expect, test } from "vitest";
import type { Data } from "../../../../compute/nodes/http/data.ts";
import { read } from "../../../../compute/nodes/http/read.ts";
import { DEFAULT_LIMITS, type Value } from "../../../../protocol/index.ts";
import { Prng } from "../../../support/random.ts";

const seed = Number(process.env["NODEFLOW_SEED"] ?? 20_261_120);
const ROUNDS = 200;

async function* cut(random: Prng, bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    const size = random.chance(0.1) ? 0 : random.int(1, random.pick([1, 3, 20, 1_000]));
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function valuesOf(
  mode: Data["read"],
  pieces: AsyncIterable<Uint8Array>,
  charset: string | null = null,
) {
  const values: Value[] = [];
  for await (const { value } of read(mode, pieces, { limits: DEFAULT_LIMITS, charset })) values.push(value);
  return values;
}

/** Texts of awkward characters: of one to four bytes, line ends, what frames events. */
const text = (random: Prng) =>
  Array.from({ length: random.int(0, 60) }, () =>
    random.pick(["a", "é", "→", "𝄞", "\r\n", "\n", "\r", ":", " ", '"', "\\", "data: ", "\ufeff"]),
  ).join("");

describe("wherever an answer is cut into pieces, it reads the same", () => {
  const each = async (check: (random: Prng, where: string) => Promise<void>) => {
    const random = new Prng(seed);
    for (let round = 0; round < ROUNDS; round++) await check(random, `seed ${seed}, round ${round}`);
  };

  test("as text, in whole characters", () =>
    each(async (random, where) => {
      const whole = `.${text(random)}`;
      const values = await valuesOf("text", cut(random, new TextEncoder().encode(whole)));
      expect(values.join(""), where).toBe(whole);
      for (const value of values) expect(String(value).isWellFormed(), where).toBe(true);
    }));

  test("as lines", () =>
    each(async (random, where) => {
      const whole = `.${text(random)}`;
      const expected = whole.replaceAll("\r\n", "\n").split("\n");
      if (expected.at(-1) === "") expected.pop();
      // A carriage return at the very end has no line feed to belong to.
      const values = await valuesOf("lines", cut(random, new TextEncoder().encode(whole)));
      expect(values, where).toEqual(expected);
    }));

  test("as events", () =>
    each(async (random, where) => {
      const data = () => text(random).replaceAll(/[\r\n]/g, "");
      const events = Array.from({ length: random.int(1, 5) }, (_, at) => ({
        event: `e${at}`,
        data: `.${data()}`,
      }));
      const end = random.pick(["\n", "\r\n"]);
      const whole = events
        .map(({ event, data }) => `event: ${event}${end}data: ${data}${end}${end}`)
        .join("");
      expect(await valuesOf("sse", cut(random, new TextEncoder().encode(whole))), where).toEqual(events);
    }));

  test("as JSON", () =>
    each(async (random, where) => {
      const value = {
        list: Array.from({ length: random.int(0, 8) }, () => text(random)),
        n: random.int(0, 1e9),
      };
      const whole = new TextEncoder().encode(JSON.stringify(value));
      expect(await valuesOf("json", cut(random, whole)), where).toEqual([value]);
    }));
});
