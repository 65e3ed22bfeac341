import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ChatServer, chatServer } from "../../support/chat-server.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const README = readFileSync(join(ROOT, "README.md"), "utf8");
const SETUP = "npm ci && npm start";

/** Code blocks of a language, without their fences. */
function blocks(language: string): string[] {
  return [...README.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, of, code]) =>
    of === language ? [code ?? ""] : [],
  );
}

const COMMANDS = [...new Set(blocks("sh").flatMap((block) => block.trimEnd().split("\n")))];

let service: { readonly url: string; readonly stop: () => Promise<void> };
/** In place of the model on the reader's machine. */
let model: ChatServer;
let folder: string;
beforeAll(async () => {
  model = await chatServer();
  folder = mkdtempSync(join(tmpdir(), "nodeflow-readme-"));
  service = await npmStart();
});
afterAll(async () => {
  await service.stop();
  await model[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** `npm start` on a free port. npm starts a shell, that starts Node: all of them are stopped together. */
async function npmStart() {
  const child = spawn("npm", ["start"], {
    cwd: ROOT,
    env: { ...process.env, PORT: "0" },
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk;
      const [, found] = /listens on (http:\/\/\S+)/.exec(output) ?? [];
      if (found !== undefined) resolve(found);
    });
    child.once("exit", () => reject(new Error(`npm start ended:\n${output}`)));
  });
  return {
    url,
    async stop() {
      process.kill(-(child.pid ?? 0), "SIGTERM");
      await ended;
    },
  };
}

async function shell(command: string): Promise<string> {
  const here = command
    .replaceAll("http://127.0.0.1:8787", service.url)
    .replaceAll("sales-run.json", join(folder, "sales-run.json"))
    .replaceAll("picture=", `picture=${folder}/`)
    .replaceAll("--input model=llama3.2", `--input model=echo --input server=${model.url}`);
  const { stdout } = await promisify(execFile)("sh", ["-c", here], {
    cwd: ROOT,
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}

/** Runs a piece of code as somebody's own file would, with the package's doors where the sources have them. */
async function code(block: string): Promise<string> {
  const { exports } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    exports: Record<string, { default: string } | string>;
  };
  const source = block
    .replaceAll("http://127.0.0.1:8787", service.url)
    .replaceAll(/"nodeflow(\/\w+)"/g, (_all, door: string) => {
      const entry = exports[`.${door}`];
      if (typeof entry !== "object") throw new Error(`package.json exports no ${door}`);
      const path = entry.default.replace("./dist/", "").replace(/\.js$/, ".ts");
      return JSON.stringify(pathToFileURL(join(ROOT, path)).href);
    });
  const file = join(folder, "example.ts");
  writeFileSync(file, source);
  const { stdout } = await promisify(execFile)(process.execPath, [file]);
  return stdout;
}

/** ` 24  node-output  nodeId "pace", mode "item", value 1`: what a row of the stream's excerpt says. */
function rowOf(line: string): { readonly seq: number } {
  const [, seq, type, fields = ""] = /^ *(\d+) +(\S+) +(.*)$/.exec(line) ?? [];
  const said = [...fields.matchAll(/\b(nodeId|attempt|handle|mode|value) ("[^"]*"|\d+)/g)];
  return {
    seq: Number(seq),
    type,
    ...Object.fromEntries(said.map(([, name, value]) => [name, JSON.parse(value ?? "")])),
  } as { readonly seq: number };
}

describe("README", () => {
  test("begins with two commands", () => {
    expect(COMMANDS.slice(0, 2)).toEqual([SETUP, expect.stringMatching(/^curl -N /)]);
  });

  test.each(COMMANDS.filter((command) => command !== SETUP))("%s", async (command) => {
    const output = await shell(command);
    if (command.startsWith("curl")) expect(output).toContain("event: execution-completed\n");
    else if (command.includes(" -- run ")) expect(output).toContain('"type":"execution-completed"');
    else expect(output).not.toBe("");
  });

  test("its second run of sales reuses what it says", async () => {
    const [first, second] = COMMANDS.filter((command) => command.includes("sales-run.json"));
    await shell(first ?? "");
    const output = await shell(second ?? "");
    expect(output).toContain('"type":"node-reused"');
    expect(output).not.toMatch(/"node-started".*"nodeId":"(rows|by-region)"/);
  });

  test("its stream is the one that hello.json has", async () => {
    const [excerpt = ""] = blocks("text").filter((block) => block.startsWith("seq  type\n"));
    const rows = excerpt.trimEnd().split("\n").slice(1).map(rowOf);
    const output = await shell("npm run -s nodeflow -- run examples/hello.json");
    const updates = output
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(rows.length).toBeGreaterThan(5);
    for (const row of rows) expect(updates[row.seq - 1]).toMatchObject(row);
    expect(updates).toHaveLength(rows.at(-1)?.seq ?? 0);
  });

  test("its code does what its comments say", async () => {
    const [client = "", engine = "", ...others] = blocks("ts");
    expect(others).toEqual([]);
    expect(await code(client)).toMatch(/\ncompleted \{ answer: true \}\n$/);
    expect(await code(engine)).toBe("{ squares: [ 1, 4, 9 ] }\n");
  });

  test("names every example, and every example runs by one of its commands", () => {
    const examples = readdirSync(join(ROOT, "examples")).filter((name) => name.endsWith(".json"));
    for (const name of examples) {
      expect(README).toContain(`(examples/${name})`);
      expect(
        COMMANDS.some((command) => command.includes(` run examples/${name}`)),
        name,
      ).toBe(true);
    }
  });

  test("says what each dependency is for", () => {
    const { dependencies, optionalDependencies } = JSON.parse(
      readFileSync(join(ROOT, "package.json"), "utf8"),
    ) as Record<string, Record<string, string>>;
    const listed = [...README.matchAll(/^\| \[([^\]]+)\]\(https:[^)]+\) \| \S/gm)].map(([, name]) => name);
    expect(listed.sort()).toEqual(Object.keys({ ...dependencies, ...optionalDependencies }).sort());
  });

  test("links only to files that are there", () => {
    const links = [...README.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path]) => path as string);
    expect(links.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});
