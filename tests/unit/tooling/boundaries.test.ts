import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const cruiser = join(root, "node_modules/.bin/depcruise");

/** A small house without a fault. */
const house: Record<string, string> = {
  "package.json": '{"type":"module","dependencies":{"zod":"*"}}',
  "protocol/index.ts": 'export * from "./value.ts";',
  "protocol/value.ts": "export type Value = string; export const value = 1;",
  "compute/engine/index.ts": 'export * from "./run.ts";',
  "compute/engine/run.ts": 'import { value } from "../../protocol/index.ts"; export const run = value;',
  "compute/nodes/index.ts": 'import { run } from "../engine/index.ts"; export const nodes = run;',
  "compute/sandbox/index.ts": "export const port = 1;",
  "compute/sandbox/node.ts": 'import { fork } from "node:child_process"; export const node = fork;',
  "compute/service/index.ts": 'import { nodes } from "../nodes/index.ts"; export const service = nodes;',
  "compute/client/index.ts": 'import { value } from "../../protocol/index.ts"; export const client = value;',
  "compute/hosts/node.ts":
    'import "node:http"; import { service } from "../service/index.ts"; import "../sandbox/node.ts"; export const host = service;',
  "compute/cli/main.ts":
    'import { host } from "../hosts/node.ts"; import "../client/index.ts"; export const cli = host;',
  "signaling/index.ts": 'export * from "../protocol/index.ts";',
  "peer/mesh/index.ts": 'export * from "../../compute/engine/index.ts";',
  "peer/link/index.ts": 'export * from "../../compute/client/index.ts";',
  "peer/console/page.ts": 'import "../link/index.ts"; export const page = 1;',
  "tests/unit/run.test.ts": 'import { run } from "../../compute/engine/run.ts"; export const test = run;',
};

/** One fault a file, and the rules that must name it. */
const faults: readonly { file: string; imports: string; rules: readonly string[] }[] = [
  { file: "protocol/upwards.ts", imports: "../compute/engine/index.ts", rules: ["what-protocol-imports"] },
  {
    file: "compute/engine/upwards.ts",
    imports: "../nodes/index.ts",
    rules: ["what-compute-engine-imports"],
  },
  { file: "compute/nodes/upwards.ts", imports: "../service/index.ts", rules: ["what-compute-nodes-imports"] },
  { file: "compute/client/fat.ts", imports: "../engine/index.ts", rules: ["what-compute-client-imports"] },
  {
    file: "compute/service/peers.ts",
    imports: "../../peer/mesh/index.ts",
    rules: ["what-compute-service-imports"],
  },
  { file: "signaling/peers.ts", imports: "../peer/link/index.ts", rules: ["what-signaling-imports"] },
  { file: "peer/mesh/page.ts", imports: "../link/index.ts", rules: ["what-peer-mesh-imports"] },
  { file: "peer/link/server.ts", imports: "../../signaling/index.ts", rules: ["what-peer-imports"] },
  { file: "compute/nodes/inside.ts", imports: "../engine/run.ts", rules: ["only-the-index-of-a-room"] },
  {
    file: "compute/nodes/sandboxed.ts",
    imports: "../sandbox/node.ts",
    rules: ["the-sandbox-of-a-platform-is-for-hosts"],
  },
  {
    file: "compute/service/hosted.ts",
    imports: "../hosts/node.ts",
    rules: ["hosts-are-the-end", "what-compute-service-imports"],
  },
  {
    file: "compute/hosts/shown.ts",
    imports: "../cli/main.ts",
    rules: ["nothing-imports-the-cli-or-the-console", "only-the-index-of-a-room"],
  },
  {
    file: "compute/hosts/tested.ts",
    imports: "../../tests/unit/run.test.ts",
    rules: ["nothing-imports-tests"],
  },
  { file: "compute/engine/platform.ts", imports: "node:fs", rules: ["no-platform-in-neutral-rooms"] },
  { file: "compute/engine/nowhere.ts", imports: "./missing.ts", rules: ["everything-resolves"] },
];

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nodeflow-boundaries-"));
  for (const file of [".dependency-cruiser.mjs", "tsconfig.base.json"])
    await cp(join(root, file), join(folder, file));
  await build(house);
});
afterAll(() => rm(folder, { recursive: true }));

async function build(files: Record<string, string>) {
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
}

/** The violations of the house, as `file: rule`. */
async function cruise(): Promise<string[]> {
  const args = [cruiser, "--config", ".dependency-cruiser.mjs", "--output-type", "json", "."];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, maxBuffer: 2 ** 26 });
  const { summary }: { summary: { violations: { from: string; rule: { name: string } }[] } } =
    JSON.parse(stdout);
  return summary.violations.map(({ from, rule }) => `${from}: ${rule.name}`).sort();
}

describe("import boundaries", { timeout: 60_000 }, () => {
  it("a house whose imports point one way passes", async () => {
    expect(await cruise()).toEqual([]);
  });

  it("every import against the rules is named, and no other", async () => {
    await build(
      Object.fromEntries(faults.map(({ file, imports }) => [file, `import ${JSON.stringify(imports)};`])),
    );
    const expected = faults.flatMap(({ file, rules }) => rules.map((rule) => `${file}: ${rule}`)).sort();
    expect(await cruise()).toEqual(expected);
    await Promise.all(faults.map(({ file }) => rm(join(folder, file))));
  });

  it("a cycle is named even if it is one of types", async () => {
    await build({
      "compute/engine/a.ts": 'import type { B } from "./b.ts"; export type A = B | 1;',
      "compute/engine/b.ts": 'import type { A } from "./a.ts"; export type B = A | 2;',
    });
    expect(new Set(await cruise())).toEqual(new Set(["compute/engine/a.ts: no-cycles"]));
  });
});
