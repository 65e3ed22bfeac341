import { runInThisContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { compileProgram, SourceError } from "../../../compute/sandbox/index.ts";

const refusal = (source: string) => {
  try {
    compileProgram(source);
  } catch (error) {
    if (error instanceof SourceError) return error.message;
    throw error;
  }
  return null;
};

/** Runs the script as an engine would: an expression, called once. */
async function exported(source: string): Promise<unknown> {
  const main = runInThisContext(compileProgram(source).script) as (
    exports: Record<string, unknown>,
  ) => Promise<void>;
  const exports: Record<string, unknown> = {};
  await main(exports);
  return exports["default"];
}

describe("making a module into a script", () => {
  it.each([
    ["export default 7", 7],
    ["export default (1, 7)", 7],
    ["const x = 7; export { x as default }", 7],
    ["export default ((7))", 7],
    ["export /* a */ default // b\n(() => 7)()", 7],
    ["export default function () { return 6 }\n(1)", expect.any(Function)],
    ['const x = 7; export { x as "default", x as y }', 7],
    ["export const a = 3; export function b() { return 4 } export default a + b()", 7],
    ["export default await Promise.resolve(7)", 7],
    ["const exports = 7; export default exports", 7],
    ["export default [1]\n.length + 6 // no semicolon", 7],
  ])("keeps what %j exports", async (source, value) => {
    expect(await exported(source)).toEqual(value);
  });

  it("hoists functions, and keeps their names", async () => {
    const source = "const early = f(); export default function f() { return early ?? 'none' }";
    await expect(exported(source)).rejects.toThrow(ReferenceError);
    expect(((await exported("export default function named() {}")) as { name: string }).name).toBe("named");
  });

  it("says where the source isn't JavaScript, with lines and columns from 1", () => {
    expect(refusal("export default () =>\n  41 +")).toBe(
      "is not JavaScript (ES2023): Unexpected token (line 2, column 7)",
    );
  });

  it.each([
    ['import fs from "fs"; export default 1', "`import` (line 1)"],
    ['export default () =>\n import("fs")', "`import()` (line 2)"],
    ["export default import.meta.url", "`import.meta` (line 1)"],
    ['export * from "fs"; export default 1', "`export … from` (line 1)"],
    ['export { a } from "fs"; export default 1', "`export … from` (line 1)"],
  ])("refuses modules: %j", (source, message) => {
    expect(refusal(source)).toContain(message);
  });

  it("takes `new.target`, which isn't `import.meta`", () => {
    expect(refusal("export default function () { return new.target }")).toBeNull();
  });

  it("asks for a default export", () => {
    expect(refusal("export const a = 1")).toContain("must `export default` a function");
    expect(refusal("")).toContain("must `export default` a function");
  });

  it.each([
    "let y, a = 1, b = 2;\ny = a <!-- b || ({\n}); globalThis.out = 1; ({ a: 1\n});\nexport default () => 1",
    "let a = 1, b = 2; export default a <!--b",
    "/* a\n*/--> export default 1",
    "export default 1\n--> 2",
  ])("refuses what a script reads as a comment and a module doesn't: %j", (source) => {
    expect(refusal(source)).toMatch(/`<!--` or `-->`|is not JavaScript/);
  });

  it.each([
    "}); hostile(); (function () {",
    "}",
    "return 1",
    "#!/bin/sh\nexport default 1",
    "const WebAssembly = 1; export default 1",
    "with (a) {} export default 1",
  ])("refuses what would end the function around it, or isn't of modules: %j", (source) => {
    expect(refusal(source)).toContain("is not JavaScript (ES2023)");
  });

  it("takes markup in texts and comments", async () => {
    expect(await exported("/* <!-- --> */ export default '<!-- -->' // -->")).toBe("<!-- -->");
  });

  it("takes deep sources, or says that they are too deep", () => {
    const deep = `export default ${"[".repeat(1e5)}${"]".repeat(1e5)}`;
    expect(refusal(deep)).toBe("is nested too deep to be read");
  });

  it("compiles equal sources once", () => {
    const source = "export default () => 'once'";
    expect(compileProgram(source)).toBe(compileProgram(source));
  });

  it.each([
    ["text", `export default () => 1 // ${"x".repeat(262_144)}`, "is longer than 262144 characters"],
    ["words", `${"a;".repeat(15_001)}export default 1`, "has more than 30000 words and signs"],
    ["names", `let ${names("n", 3_001)}; export default 1`, "has more than 3000 different names"],
    ["blocks", `${"{".repeat(257)}${"}".repeat(257)}export default 1`, "is nested too deep to be read"],
  ])("reads no source whose %s would hold up others", (_what, source, message) => {
    expect(refusal(source)).toBe(message);
  });

  it("finds a name of its own at once, whatever names the source takes", async () => {
    const source = `/* ${names("exports", 15_000)} */ export default 7`;
    const before = performance.now();
    expect(compileProgram(source).script).toContain("(exports15000, WebAssembly)");
    expect(performance.now() - before).toBeLessThan(1_000);
  });
});

function names(prefix: string, count: number): string {
  return ["exports", ...Array.from({ length: count }, (_, n) => prefix + n)].join(", ");
}
