import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../..", import.meta.url));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nodeflow-lint-"));
  for (const file of ["biome.json", ".gitignore", "scripts"]) {
    cpSync(join(root, file), join(folder, file), { recursive: true });
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Lines that the linter refuses in a file of this name. */
function refused(file: string, lines: readonly string[]): string[] {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), lines.join("\n"));
  const command = [join(root, "node_modules/.bin/biome"), "lint", "--reporter=github", file] as const;
  const { stdout } = spawnSync(command[0], command.slice(1), { cwd: folder, encoding: "utf8" });
  const places = [...stdout.matchAll(/^::error .*?line=(\d+)/gm)].map(([, line]) => Number(line));
  return lines.filter((_, index) => places.includes(index + 1));
}

const surroundings = [
  "export const now = Date.now();",
  "export const luck = Math.random();",
  "export const timer = setTimeout(() => {}, 1);",
  "export const bytes = crypto.getRandomValues(new Uint8Array(1));",
  'export const page = fetch("https://example.org");',
];

describe("the linter", { timeout: 30_000 }, () => {
  it.each(["compute/engine/file.ts", "protocol/file.ts", "peer/mesh/file.ts"])(
    "lets nobody take time, luck and transports from the platform in %s",
    (file) =>
      expect(refused(file, [...surroundings, "export const fine = Math.max(1, 2);"])).toEqual(surroundings),
  );

  it("lets hosts take them", () => {
    expect(refused("compute/hosts/file.ts", surroundings)).toEqual([]);
  });

  it("refuses loose types, default exports and tests that don't run", () => {
    const loose = [
      "export const value: any = 1;",
      "export default 1;",
      'it.skip("something", () => {});',
      'it.only("something", () => {});',
    ];
    expect(refused("tests/unit/file.test.ts", loose)).toEqual(loose);
  });
});
