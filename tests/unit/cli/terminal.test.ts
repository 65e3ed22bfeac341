import stringWidth from "string-width";
import { describe, expect, test } from "vitest";
import { read, wording } from "../../../compute/cli/terminal/ask.ts";
import { Score } from "../../../compute/cli/terminal/board.ts";
import { draw } from "../../../compute/cli/terminal/draw.ts";
import { summary } from "../../../compute/cli/terminal/summary.ts";
import { bar, clip, duration, tail } from "../../../compute/cli/terminal/text.ts";
import type { Value, Workflow } from "../../../protocol/index.ts";
import {
  asked,
  completed,
  done,
  type Line,
  output,
  reset,
  started,
  stream,
  workflow as WORKFLOW,
} from "../client/script.ts";

const plain = (_tone: string, text: string) => text;

function screenOf(workflow: Workflow, lines: readonly Line[], width = 60, height = 20): string[] {
  const score = new Score(workflow, "A title");
  for (const update of stream(lines)) score.note(update);
  return draw(score, { width, height, paint: plain, now: 3_000 });
}

const wide = (count: number): Workflow => ({
  nodes: Array.from({ length: count }, (_, i) => ({ id: `n${i}`, type: "constant", data: { value: i } })),
  edges: [],
});

describe("the board", () => {
  test("has a row for each node, in the order in which they can run, and none for what is only drawn", () => {
    const drawn: Workflow = {
      nodes: [
        { id: "last", type: "output" },
        { id: "frame", type: "group" },
        { id: "label" },
        { id: "first", type: "constant" },
      ],
      edges: [{ source: "first", target: "last" }],
    };
    expect(screenOf(drawn, [])).toEqual([
      expect.stringMatching(/^A title +0\/2 · 2\.0 s$/),
      "· first",
      "· last",
    ]);
  });

  test("shows items against those expected, the end of a text, attempts, and what failed", () => {
    const lines = screenOf(WORKFLOW, [
      started("a"),
      output("a", [0, 1, 2, 3]),
      completed("a"),
      started("m"),
      started("m/0", { item: "x" }),
      completed("m/0"),
      started("t"),
      output("t", "begins, ", "append"),
      reset("t", 2),
      started("t", { attempt: 2 }),
      output("t", "and begins again", "append", 2),
      {
        type: "node-failed",
        nodeId: "r",
        attempt: 1,
        error: { code: "NODE_FAILED", message: "went\nwrong", retryable: true },
        willRetry: false,
      },
    ]);
    expect(lines.map((line) => line.replaceAll(/ {2,}/g, "  "))).toEqual([
      "A title  1/4 · 2.0 s",
      "✓ a  4 items  1 ms",
      "● m  ━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌ 1/4  2.0 s",
      "● t  and begins again (attempt 2)  2.0 s",
      "✗ r  NODE_FAILED: went wrong",
    ]);
  });

  test("shows what isn't text in short, and what nodes are called where there is room for it", () => {
    const workflow: Workflow = {
      nodes: [
        { id: "n", type: "constant", data: { label: "Answer" } },
        { id: "o", type: "constant", data: { label: "A name that is too long to stand here" } },
      ],
      edges: [],
    };
    const lines = screenOf(workflow, [
      started("n"),
      output("n", 42),
      completed("n"),
      started("o"),
      output("o", { ok: true, rows: [1], of: { a: 1 } }),
    ]);
    expect(lines.slice(1).map((line) => line.replaceAll(/ {2,}/g, "  "))).toEqual([
      "✓ n Answer 42  1 ms",
      "● o  {ok: true, rows: […], of: {…}}  2.0 s",
    ]);
  });

  test("an answered question is no second attempt; a failure after it is", () => {
    const answered = [started("t"), asked("t"), reset("t", 2), started("t", { attempt: 2 })];
    expect(screenOf(WORKFLOW, answered)[3]).not.toContain("attempt");
    expect(screenOf(WORKFLOW, [...answered, reset("t", 3), started("t", { attempt: 3 })])[3]).toContain(
      "(attempt 2)",
    );
  });

  test("in the end says how long the run took as the run does", () => {
    const lines: Line[] = [started("a"), output("a", Uint8Array.of(1, 2)), completed("a"), done({})];
    expect(screenOf(WORKFLOW, lines)[0]).toMatch(/ · 5 ms$/);
    expect(screenOf(WORKFLOW, lines)[1]).toContain("2 bytes");
  });

  test("says who asks", () => {
    expect(screenOf(WORKFLOW, [started("t"), asked("t")])[3]).toMatch(/^\? t +asks approve/);
  });

  test("folds what has no room, and shows first what is failing, asking or running", () => {
    const lines = screenOf(
      wide(500),
      Array.from({ length: 450 }, (_, i) => [
        started(`n${i}`),
        ...(i === 321 ? [] : [completed(`n${i}`)]),
      ]).flat(),
      60,
      8,
    );
    expect(lines).toHaveLength(8);
    expect(lines.some((line) => line.startsWith("● n321"))).toBe(true);
    expect(lines.at(-1)).toMatch(/^ {2}… .*449 completed/);
  });

  test.each([10, 20, 35, 36, 50, 79, 200])(
    "never draws wider than %d columns, whatever ids and texts are",
    (width) => {
      const ids = [
        "a",
        "日本語の長いノード名前".repeat(4),
        "👩‍👩‍👧‍👦".repeat(20),
        "x".repeat(200),
        "esc\u001b[2J",
      ];
      const workflow: Workflow = { nodes: ids.map((id) => ({ id, type: "template" })), edges: [] };
      const lines = screenOf(
        workflow,
        ids.flatMap((id) => [
          started(id),
          output(id, "流れる文字 🌊 and\u001b[31m more ".repeat(30), "append"),
        ]),
        width,
      );
      for (const line of lines) {
        expect(stringWidth(line), line).toBeLessThanOrEqual(width);
        expect(line).not.toContain("\u001b");
      }
    },
  );
});

describe("text", () => {
  test("is cut between characters as people see them", () => {
    expect(clip("short", 10)).toBe("short");
    expect(clip("a long line", 6)).toBe("a lon…");
    expect(clip("日本語", 4)).toBe("日…");
    expect(tail("the end of a text", 8)).toBe("… a text");
    expect(tail("line one\nline two", 40)).toBe("line one line two");
  });

  test.each([
    [0.2, "<1 ms"],
    [12.4, "12 ms"],
    [1_240, "1.2 s"],
    [59_999, "1 min 00 s"],
    [245_000, "4 min 05 s"],
  ])("%d ms reads as %s", (ms, text) => {
    expect(duration(ms)).toBe(text);
  });

  test("a bar stays within itself", () => {
    expect([bar(-1, 4), bar(0.5, 4), bar(7, 4)]).toEqual(["╌╌╌╌", "━━╌╌", "━━━━"]);
  });
});

describe("a question", () => {
  const schemas: Record<string, Value> = {
    boolean: { type: "boolean" },
    enum: { enum: ["small", "large", 3] },
    integer: { type: "integer" },
    string: { type: "string" },
    object: { type: "object" },
  };

  test.each([
    ["boolean", "Y", true],
    ["boolean", " no ", false],
    ["enum", "2", "large"],
    ["enum", "small", "small"],
    ["enum", "3", 3],
    ["integer", "42", 42],
    ["string", "true", "true"],
    ["object", '{"a":1}', { a: 1 }],
    ["none", "[1]", [1]],
    ["none", "plain words", "plain words"],
  ])("with schema %s takes %j", (schema, line, value) => {
    expect(read(line, schemas[schema])).toEqual({ value });
  });

  test.each([
    ["boolean", "maybe"],
    ["boolean", ""],
    ["enum", "9"],
    ["integer", "many"],
    ["integer", ""],
    ["object", "{"],
  ])("with schema %s doesn't take %j, and says what it takes", (schema, line) => {
    expect(read(line, schemas[schema])).toEqual({ problem: expect.any(String) });
  });

  test("is worded by its arguments, with the choices there are", () => {
    const question = { nodeId: "size", tool: "choose", args: { question: "Which size?", colour: "red" } };
    expect(wording({ ...question, schema: { enum: ["S", "M"] } }, 60)).toEqual({
      lines: ["Which size?", "  colour: red", "  1  S", "  2  M"],
      prompt: "[1-2] ",
    });
    expect(wording({ ...question, args: null, rejected: "too large" }, 60).lines).toEqual([
      "Not accepted: too large",
      "choose (size)",
    ]);
  });
});

describe("the summary", () => {
  const metrics = {
    durationMs: 1_400,
    nodes: { completed: 1_200, failed: 0, skipped: 2, reused: 3 },
    retries: 1,
    emissions: 0,
    bytes: 0,
    calls: 0,
  };

  test("says how the run ended and what it gave", () => {
    const outputs = {
      letter: "Dear world,\nhello\n",
      list: Array.from({ length: 60 }, (_, i) => `element ${i}`),
      n: 3,
    };
    const lines = summary({ executionId: "x", status: "completed", outputs, metrics }, plain, 60);
    expect(lines.slice(0, 6)).toEqual([
      "",
      "completed 1.4 s · 1,200 nodes · 3 reused · 2 skipped · 1 retry",
      "letter",
      "  Dear world,",
      "  hello",
      "list",
    ]);
    expect(lines).toContain("  … 22 more lines; --json gives everything");
    expect(lines.at(-1)).toBe("n  3");
  });
});
