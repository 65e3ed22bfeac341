import { describe, expect, test } from "vitest";
import { fileValue, jsonOrText, parseJson, splitAssignment } from "../../../compute/cli/assignment.ts";
import { EXIT, exitCodeOf, explain, printable, UsageError } from "../../../compute/cli/problem.ts";
import { type Issue, invalidWorkflow, NodeflowError } from "../../../protocol/index.ts";

const bytes = (...numbers: number[]) => Uint8Array.of(...numbers);
const utf8 = (text: string) => new TextEncoder().encode(text);

describe("NAME=VALUE", () => {
  test.each([
    ["n=3", ["n", "3"]],
    ["q=a=b", ["q", "a=b"]],
    ["empty=", ["empty", ""]],
    ["näme=ü", ["näme", "ü"]],
  ])("%s", (text, pair) => {
    expect(splitAssignment("--input", text)).toEqual(pair);
  });

  test.each(["noname", "=value", ""])("%j has no name, and the message says what to write", (text) => {
    expect(() => splitAssignment("--input", text)).toThrow(UsageError);
  });

  test.each([
    ["3", 3],
    ["true", true],
    ["null", null],
    ['{"a":[1]}', { a: [1] }],
    ['"3"', "3"],
    ["Ada", "Ada"],
    ["", ""],
    ["{broken", "{broken"],
    ["01", "01"],
  ])("%j is JSON if it parses, else text", (text, value) => {
    expect(jsonOrText(text)).toEqual(value);
  });
});

describe("@FILE", () => {
  test("is text, parsed if its name ends in .json, and bytes if it isn't UTF-8", () => {
    expect(fileValue("notes.txt", utf8("3"))).toBe("3");
    expect(fileValue("notes.json", utf8("[3]"))).toEqual([3]);
    expect(fileValue("photo.png", bytes(0x89, 0x50, 0xff))).toEqual(bytes(0x89, 0x50, 0xff));
    expect(fileValue("photo.json", bytes(0xff))).toEqual(bytes(0xff));
  });

  test("broken JSON says which file and where", () => {
    expect(() => parseJson('{"a":}', "flow.json")).toThrow(/^flow\.json is not JSON: .*/);
  });
});

describe("what standard error says", () => {
  test("one line what is wrong, then each place with its node and code", () => {
    const issue = (id: string, message: string) => ({
      code: "INVALID_NODE_DATA" as const,
      message,
      path: `/workflow/nodes/${id}/data/to`,
      nodeId: id,
    });
    expect(
      explain(invalidWorkflow([issue("a", "must be a number"), issue("b", 'Node "b" has no end')])),
    ).toEqual([
      "error: INVALID_WORKFLOW: 2 problems",
      "  /workflow/nodes/a/data/to node a: must be a number (INVALID_NODE_DATA)",
      '  /workflow/nodes/b/data/to Node "b" has no end (INVALID_NODE_DATA)',
    ]);
  });

  test("a fault of the outer shape has a place too", () => {
    const details = [{ path: "/workflow/nodes", message: "must be a list" }];
    expect(explain(new NodeflowError("INVALID_REQUEST", "bad", { details }))).toEqual([
      "error: INVALID_REQUEST: 1 problem",
      "  /workflow/nodes must be a list",
    ]);
    const outermost = [{ path: "", message: "must be an object" }];
    expect(explain(new NodeflowError("INVALID_REQUEST", "bad", { details: outermost }))).toEqual([
      "error: INVALID_REQUEST: 1 problem",
      "  The request must be an object",
    ]);
  });

  test("what to do on the command line where an input or a secret is missing, once", () => {
    const issue = (code: Issue["code"], message: string, path: string) => ({ code, message, path });
    const lines = explain(
      invalidWorkflow([
        issue("INPUT_MISSING", 'The input "a" has no value', "/workflow/nodes/0"),
        issue("INPUT_MISSING", 'The input "b" has no value', "/workflow/nodes/1"),
        issue("INVALID_NODE_DATA", 'Node "c": there is no secret "S" for this caller here', "/workflow/x"),
      ]),
    );
    expect(lines.slice(4)).toEqual([
      expect.stringContaining("--input NAME=VALUE"),
      expect.stringContaining("NODEFLOW_SECRET_NAME_ORIGINS"),
    ]);
  });

  test("what somebody said who was called and didn't answer well, shortened", () => {
    const details = { status: 500, body: `<h1>\n  broken\u001b[2J </h1>${"x".repeat(300)}` };
    const [, said] = explain(new NodeflowError("UPSTREAM_ERROR", "GET … answered 500", { details }));
    expect(said).toMatch(/^ {2}it said: <h1> broken\uFFFD\[2J <\/h1>x+…$/);
  });

  test("nothing that could steer a terminal gets through", () => {
    expect(printable("a\u001b[2Jb\u0007\u009b31mc\u202ed")).toBe("a\uFFFD[2Jb\uFFFD\uFFFD31mc\uFFFDd");
    expect(printable("näive 日本 🌲\n\tok")).toBe("näive 日本 🌲\n\tok");
  });

  test.each([
    [new UsageError("no"), EXIT.usage],
    [new NodeflowError("INVALID_WORKFLOW", "no"), EXIT.usage],
    [new NodeflowError("UNAUTHENTICATED", "no"), EXIT.usage],
    [new NodeflowError("UPSTREAM_ERROR", "no"), EXIT.failed],
    [new NodeflowError("INTERNAL", "no"), EXIT.failed],
    [new TypeError("bug"), EXIT.failed],
  ])("%s has its exit code", (error, code) => {
    expect(exitCodeOf(error)).toBe(code);
  });
});
