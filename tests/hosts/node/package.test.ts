import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../..", import.meta.url));
const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8"));

const doors = ["protocol", "engine", "browser", "node", "nodes", "service", "client"];

/** A program that uses every door, in types and in values. */
const program = `
import { createClient } from "nodeflow/client";
import { execute } from "nodeflow/engine";
import { localMachine, poolRunner } from "nodeflow/node";
import { builtinNodes } from "nodeflow/nodes";
import { type ExecutionUpdate, Secret, type Workflow } from "nodeflow/protocol";
import { createService } from "nodeflow/service";

const workflow: Workflow = {
  nodes: [
    { id: "two", type: "constant", data: { value: 2 } },
    { id: "square", type: "transform", data: { expression: "$ * $" } },
    { id: "result", type: "output", data: { name: "result" } },
  ],
  edges: [{ source: "two", target: "square" }, { source: "square", target: "result" }],
};
let last: ExecutionUpdate | undefined;
for await (const update of execute({ workflow })) last = update;
if (last?.type !== "execution-completed") throw new Error(last?.type);
const runner = poolRunner();
const slow = { id: "slow", type: "transform", data: { expression: "$count($match('aaa', /a/))" } };
let place: string | undefined;
for await (const update of execute({ workflow: { nodes: [slow], edges: [] } }, { runner })) {
  if (update.type === "node-started") place = update.executor.kind;
  if (update.type === "node-failed") throw new Error(update.error.message);
}
await runner.close();
const machine = localMachine({ NODEFLOW_SECRET_KEY: "0123456789" });
const call = { id: "call", type: "http", data: { url: "http://127.0.0.1:9/", headers: { key: new Secret("KEY") } } };
let problem: unknown;
try {
  for await (const update of execute({ workflow: { nodes: [call], edges: [] } }, machine)) problem = update.type;
} catch (error) {
  problem = error;
}
await machine.close();
if (!String(problem).includes("may not go to")) throw new Error(String(problem));
if (place !== "pool") throw new Error(place);
console.log(JSON.stringify([last.outputs, builtinNodes.size > 0, typeof createClient, typeof createService]));
`;

/** An empty project into which the packed package was unpacked, with what it declares to depend on, and no more. */
let project: string;

async function install(): Promise<void> {
  await run("npm", ["pack", "--silent", "--pack-destination", project], { cwd: root });
  const home = join(project, "node_modules/nodeflow");
  await mkdir(home, { recursive: true });
  const tarball = join(project, `nodeflow-${manifest.version}.tgz`);
  await run("tar", ["--extract", "--file", tarball, "--directory", home, "--strip-components=1"]);
  for (const name of Object.keys(manifest.dependencies)) {
    const place = join(project, "node_modules", name);
    await mkdir(dirname(place), { recursive: true });
    await symlink(join(root, "node_modules", name), place);
  }
  await writeFile(join(project, "package.json"), '{"type":"module"}');
}

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "nodeflow-package-"));
  await install();
}, 120_000);
afterAll(() => rm(project, { recursive: true, force: true }));

const inProject = (command: string, ...args: string[]) => run(command, args, { cwd: project });

describe("the published package", () => {
  it("has JavaScript and types, and no sources or tests", async () => {
    const { stdout } = await inProject("tar", "--list", "--file", `nodeflow-${manifest.version}.tgz`);
    const files = stdout
      .trim()
      .split("\n")
      .map((file) => file.replace("package/", ""));
    const rest = files.filter((file) => !/^dist\/.*\.(js|d\.ts)$/.test(file)).sort();
    expect(rest).toEqual([
      "LICENSE",
      "README.md",
      "dist/package.json",
      "package.json",
      "protocol/PROTOCOL.md",
    ]);
  });

  it.each(doors)("nodeflow/%s can be imported, with its types beside it", async (door) => {
    const { stdout } = await inProject(
      process.execPath,
      "--input-type=module",
      "--eval",
      `console.log(Object.keys(await import("nodeflow/${door}")).length > 0)`,
    );
    expect(stdout).toBe("true\n");
    expect(Object.keys(manifest.exports)).toContain(`./${door}`);
  });

  it("what isn't a door is closed", async () => {
    const inside = inProject(process.execPath, "--eval", 'import("nodeflow/dist/compute/engine/index.js")');
    await expect(inside).rejects.toThrow("ERR_PACKAGE_PATH_NOT_EXPORTED");
  });

  it("a program over all doors compiles and runs", async () => {
    await writeFile(join(project, "program.ts"), program);
    const compiler = join(root, "node_modules/.bin/tsc");
    const options = ["--ignoreConfig", "--strict", "--noEmit", "--skipLibCheck", "--module", "nodenext"];
    await inProject(compiler, ...options, "--target", "es2023", "--lib", "es2023,dom", "program.ts");
    const { stdout } = await inProject(process.execPath, "program.ts");
    expect(JSON.parse(stdout)).toEqual([{ result: 4 }, true, "function", "function"]);
  });

  it("its command runs a workflow", async () => {
    const workflow = { nodes: [{ id: "hello", type: "constant", data: { value: "hello" } }], edges: [] };
    await writeFile(join(project, "workflow.json"), JSON.stringify(workflow));
    const command = join(project, "node_modules/nodeflow", manifest.bin.nodeflow);
    const { stdout } = await inProject(process.execPath, command, "run", "workflow.json", "--json");
    const updates = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(updates.at(-1)).toMatchObject({ type: "execution-completed" });
  });
});
