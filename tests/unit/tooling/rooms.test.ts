import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../..", import.meta.url));
/** Their files are entries themselves. */
const withoutIndex = ["compute/hosts", "compute/cli"];

const inside = (folder: string) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`);
const rooms = ["protocol", ...inside("compute")].filter((room) => !withoutIndex.includes(room));

describe("rooms", () => {
  it.each(rooms)("%s has one index.ts, which only re-exports", (room) => {
    expect(globSync("**/index.ts", { cwd: join(root, room) })).toEqual(["index.ts"]);
    const text = readFileSync(join(root, room, "index.ts"), "utf8");
    const rest = text
      .replaceAll(/export (type )?(\*|\{[^}]*\}) from "[^"]+";|\/\*[\s\S]*?\*\/|\/\/.*/g, "")
      .trim();
    expect(rest).toBe("");
  });

  it.each(withoutIndex)("%s has none", (room) => {
    expect(existsSync(join(root, room, "index.ts"))).toBe(false);
  });
});
