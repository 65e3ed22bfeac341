import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const compiler = join(root, "node_modules/.bin/tsc");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nodeflow-environments-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Which of these global names don't compile in a file that is added to an environment's own files. */
async function unknownIn(environment: string, names: readonly string[]): Promise<string[]> {
  const file = join(folder, `${environment}.mts`);
  const project = join(folder, `${environment}.json`);
  await writeFile(file, names.map((name) => `export const use_${name} = ${name};`).join("\n"));
  await writeFile(
    project,
    JSON.stringify({
      extends: join(root, `tsconfig.${environment}.json`),
      compilerOptions: {
        incremental: false,
        tsBuildInfoFile: null,
        typeRoots: [join(root, "node_modules/@types")],
      },
      files: [file],
    }),
  );
  const output = await new Promise<string>((resolve) => {
    execFile(compiler, ["-p", project, "--pretty", "false"], (_error, stdout) => resolve(stdout));
  });
  const errors = output.matchAll(
    new RegExp(`${environment}\\.mts\\(\\d+,\\d+\\): error TS\\d+: .*?'(\\w+)'`, "g"),
  );
  return [...errors].map(([, name]) => name ?? "");
}

const web = [
  "AbortSignal",
  "ReadableStream",
  "TextEncoder",
  "URL",
  "crypto",
  "fetch",
  "performance",
  "queueMicrotask",
  "structuredClone",
];

describe("what compiles where", { timeout: 60_000 }, () => {
  it("neutral rooms have the web's globals, and neither Node's nor a page's", async () => {
    const foreign = [
      "Buffer",
      "process",
      "window",
      "document",
      "setImmediate",
      "require",
      "__dirname",
      "localStorage",
    ];
    expect(await unknownIn("neutral", [...web, ...foreign])).toEqual(foreign);
  });

  it("neutral rooms compile once more on Node, where the globals of workers are unknown", async () => {
    const foreign = ["self", "caches", "postMessage", "indexedDB", "window", "document"];
    expect(await unknownIn("node", [...web, "Buffer", "process", ...foreign])).toEqual(foreign);
  });

  it("pages have no globals of Node, workers none of pages", async () => {
    expect(await unknownIn("browser", [...web, "window", "document", "Buffer", "process"])).toEqual([
      "Buffer",
      "process",
    ]);
    const foreign = ["Buffer", "process", "window", "document"];
    expect(await unknownIn("workers", [...web, ...foreign])).toEqual(foreign);
  });
});
