import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ExecutionUpdate, fold, updateFromJson } from "../../../protocol/index.ts";
import { cli, onTerminal, readable, start, stopAll } from "./cli-process.ts";
import { serve } from "./service-harness.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nodeflow-"));
});
afterAll(() => {
  stopAll();
  rmSync(folder, { recursive: true });
});

function saved(name: string, content: unknown): string {
  const file = join(folder, name);
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}

function updatesIn(out: string): ExecutionUpdate[] {
  return out
    .trimEnd()
    .split("\n")
    .map((line) => updateFromJson(line) as ExecutionUpdate);
}

const echo = {
  nodes: [
    { id: "in", type: "input", data: { name: "x" } },
    { id: "out", type: "output", data: { name: "x" } },
  ],
  edges: [{ source: "in", target: "out" }],
};
const endless = { nodes: [{ id: "wait", type: "delay", data: { ms: 600_000 } }] };
const failing = {
  nodes: [
    { id: "bad", type: "template", data: { text: "{{in.nothing}}" } },
    { id: "n", type: "constant", data: { value: {} } },
  ],
  edges: [{ source: "n", target: "bad" }],
};

describe("off a terminal", () => {
  test("run prints one update a line and nothing else, and exits with 0", async () => {
    const { code, out, err } = await cli(["run", "examples/react-flow.json"]);
    expect(code).toBe(0);
    expect(err).toBe("");
    expect(fold(updatesIn(out))).toMatchObject({
      status: "completed",
      outputs: { verdict: "28 words in 3 sentences" },
    });
  });

  test.each([
    ["x=3", 3],
    ["x=three", "three"],
    ['x={"a":[1]}', { a: [1] }],
    ["x=", ""],
  ])("--input %s", async (input, value) => {
    const { out } = await cli(["run", saved("echo.json", echo), "--input", input]);
    expect(fold(updatesIn(out)).outputs).toEqual({ x: value });
  });

  test("--input NAME=@FILE is JSON, text or bytes, and a workflow comes from standard input", async () => {
    const files = [saved("a.json", "[1]"), saved("a.txt", "[1]"), join(folder, "a.bin")];
    writeFileSync(files[2] as string, Uint8Array.of(0xff, 0x00));
    const values: unknown[] = [];
    for (const file of files) {
      const { out } = await cli(["run", "-", "--input", `x=@${file}`], JSON.stringify(echo));
      values.push(fold(updatesIn(out)).outputs["x"]);
    }
    expect(values).toEqual([[1], "[1]", Uint8Array.of(0xff, 0x00)]);
  });

  test.each([
    [
      "a file that isn't there",
      ["run", "nowhere.json"],
      /nowhere\.json can't be read: there is no such file/,
    ],
    ["no file", ["run"], /missing required argument/],
    ["an unknown option", ["run", "x.json", "--room", "r"], /unknown option '--room'/],
    [
      "a server that is no URL",
      ["run", "x.json", "--server", "localhost:8787"],
      /Write it as http:\/\/HOST:PORT/,
    ],
    ["an input without a name", ["run", "examples/hello.json", "--input", "who"], /NAME=VALUE/],
    [
      "an input that the workflow doesn't have",
      ["run", "examples/hello.json", "--input", "whom=x"],
      /UNKNOWN_INPUT/,
    ],
    [
      "an answer for a node that isn't there",
      ["run", "examples/invoice.json", "--answer", "aproval=true"],
      /no node `aproval`/,
    ],
    [
      "a port that nobody may call",
      ["run", "examples/hello.json", "--server", "http://127.0.0.1:1"],
      /http:\/\/127\.0\.0\.1:1 can't be called: bad port/,
    ],
    ["a node that isn't there", ["run", "examples/hello.json", "--until", "nobody"], /nobody/],
    [
      "a workflow with problems",
      ["run", "-"],
      /INVALID_WORKFLOW.*\n.*\/workflow\/nodes\/0\/type .*UNKNOWN_NODE_TYPE/,
    ],
  ])("%s is exit code 2, with a line that says where", async (_name, args, message) => {
    const bad = JSON.stringify({ nodes: [{ id: "a", type: "nothing" }], edges: [] });
    const { code, out, err } = await cli(args, bad);
    expect(err).toMatch(message);
    expect(out).toBe("");
    expect(code).toBe(2);
    expect(err).not.toContain("    at ");
  });

  test("JSON that isn't says so", async () => {
    const { code, err } = await cli(["run", "-"], '{"nodes": [}');
    expect(code).toBe(2);
    expect(err).toMatch(/^error: standard input is not JSON: /);
  });

  test("a run that fails is exit code 1, with node and code on standard error", async () => {
    const { code, out, err } = await cli(["run", saved("failing.json", failing)]);
    expect(updatesIn(out).at(-1)?.type).toBe("execution-failed");
    expect(err).toMatch(/^error: EXPRESSION_ERROR: .*bad/);
    expect(code).toBe(1);
  });

  test("a run that asks is exit code 3; the saved checkpoint and an answer finish it", async () => {
    const checkpoint = join(folder, "invoice-run.json");
    const first = await cli(["run", "examples/invoice.json", "--save-checkpoint", checkpoint]);
    expect(first.code).toBe(3);
    expect(first.err).toContain(`--checkpoint ${checkpoint} --answer approval=JSON`);
    const second = await cli([
      "run",
      "examples/invoice.json",
      "--checkpoint",
      checkpoint,
      "--answer",
      "approval=true",
    ]);
    expect(second.code).toBe(0);
    const updates = updatesIn(second.out);
    expect(updates.some((update) => update.type === "node-reused" && update.nodeId === "total")).toBe(true);
    expect(updates.at(-1)).toMatchObject({ outputs: { posting: { status: "to be paid" } } });
  });

  test("--from runs a node and what depends on it again, and nothing else", async () => {
    const checkpoint = join(folder, "sales-run.json");
    const sales = ["run", "examples/sales.json", "--input", "csv=@examples/inputs/sales.csv"];
    await cli([...sales, "--save-checkpoint", checkpoint]);
    const { out } = await cli([...sales, "--checkpoint", checkpoint, "--from", "report"]);
    const started = updatesIn(out).flatMap((update) =>
      update.type === "node-started" ? [update.nodeId] : [],
    );
    expect(started).toEqual(["report", "result"]);
  });

  test("--until runs only what is needed", async () => {
    const { out } = await cli(["run", "examples/rollout.json", "--until", "users"]);
    const skipped = updatesIn(out).flatMap((update) =>
      update.type === "node-skipped" ? [update.reason] : [],
    );
    expect(new Set(skipped)).toEqual(new Set(["not-selected"]));
  });

  test.each([
    ["text", "as it is\n", "as it is\n"],
    ["value", { a: [1] }, '{"a":[1]}\n'],
    ["bytes", { $bytes: "AP8=" }, "\0\xff"],
  ])("--output NAME=FILE writes a result as %s", async (name, value, content) => {
    const file = join(folder, `${name}.out`);
    const request = { workflow: echo, inputs: { x: value } };
    const { code } = await cli(["run", saved("echo.json", request), "--output", `x=${file}`]);
    expect(code).toBe(0);
    expect(readFileSync(file, "latin1")).toBe(content);
  });

  test.each([
    ["y=a.txt", "no output of that name"],
    ["x=", "names no file"],
    ["x=/no/such/folder/a.txt", "there is no such folder"],
    ["x", "has no name"],
    ["x=tests", "it is a folder"],
  ])("--output %s is refused before the run", async (output, reason) => {
    const { code, out, err } = await cli([
      "run",
      saved("echo.json", echo),
      "--input",
      "x=1",
      "--output",
      output,
    ]);
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err).toContain(reason);
  });

  test("a checkpoint that could not be saved after the run is refused before it", async () => {
    const to = join(folder, "none", "a-run.json");
    const { code, out, err } = await cli(["run", "examples/rollout.json", "--save-checkpoint", to]);
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err).toContain("there is no such folder");
  });

  test("a file that is no checkpoint is told by its name", async () => {
    const { code, err } = await cli(["run", "examples/rollout.json", "--checkpoint", "examples/orders.json"]);
    expect(code).toBe(2);
    expect(err).toContain("error: examples/orders.json is not a checkpoint\n  Checkpoints are what");
  });

  test("--seed makes runs repeatable", async () => {
    const { out } = await cli(["run", "examples/react-flow.json", "--seed", "dice"]);
    expect(updatesIn(out)[0]).toMatchObject({ seed: "dice" });
  });

  test("one SIGINT cancels the run, which ends as it should, with 130", async () => {
    const running = start(["run", saved("endless.json", endless)]);
    await running.shows("node-started");
    running.child.kill("SIGINT");
    const { code, out } = await running.done;
    expect(updatesIn(out).at(-1)).toMatchObject({ type: "execution-cancelled", reason: "client" });
    expect(code).toBe(130);
  });

  test("a reader that goes away ends it quietly", async () => {
    const running = start(["run", "examples/primes.json"]);
    await running.shows("node-started");
    running.child.stdout.destroy();
    const { code, err } = await running.done;
    expect(err).toBe("");
    expect(code).toBe(130);
  });
});

describe("with a service", () => {
  test("run, validate and capabilities go there, with a token where one is needed", async () => {
    await using served = await serve({ NODEFLOW_TOKENS: "me:0123456789abcdef0123" });
    const there = ["--server", served.url, "--token", "0123456789abcdef0123"];
    const run = await cli(["run", "examples/rollout.json", ...there]);
    expect(run.code).toBe(0);
    expect(updatesIn(run.out).at(-1)).toMatchObject({ type: "execution-completed" });
    expect((await cli(["validate", "examples/rollout.json", ...there])).out).toContain("is valid");
    expect(JSON.parse((await cli(["capabilities", ...there])).out)).toMatchObject({
      protocol: 1,
      runtime: "node",
    });
    const stranger = await cli(["run", "examples/rollout.json", "--server", served.url]);
    expect(stranger.err).toContain("UNAUTHENTICATED");
    expect(stranger.code).toBe(2);
  });

  test("that isn't there it says so, and what it does about it", async () => {
    const gone = await serve();
    await gone.server.close();
    const running = start(["run", "examples/hello.json", "--server", gone.url]);
    await running.shows(/can't be reached.*trying again/);
    running.child.kill("SIGINT");
    expect((await running.done).code).toBe(130);
  });

  test("serve starts one, and SIGTERM ends it with 0", async () => {
    const serving = start(["serve", "--port", "0"]);
    await serving.shows("listens on http://127.0.0.1:");
    const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(serving.out) ?? [];
    expect((await cli(["run", "examples/react-flow.json", "--server", url ?? ""])).code).toBe(0);
    serving.child.kill("SIGTERM");
    expect((await serving.done).code).toBe(0);
  });

  test("serve says what it may not do", async () => {
    const { code, err } = await cli(["serve", "--host", "0.0.0.0", "--port", "0"]);
    expect(err).toContain("NODEFLOW_TOKENS");
    expect(code).toBe(2);
  });
});

describe("without running", () => {
  test("validate tells all problems at once, as text or as JSON", async () => {
    const bad = saved("bad.json", {
      nodes: [
        { id: "a", type: "range", data: { to: "many" } },
        { id: "a", type: "constant", data: { value: 1 } },
        { id: "b", type: "nothing" },
      ],
      edges: [{ source: "a", target: "gone" }],
    });
    const { code, out } = await cli(["validate", bad]);
    expect(code).toBe(2);
    for (const issue of [
      "INVALID_NODE_DATA",
      "DUPLICATE_NODE_ID",
      "UNKNOWN_NODE_TYPE",
      "INVALID_EDGE_TARGET",
    ]) {
      expect(out).toContain(issue);
    }
    const json = JSON.parse((await cli(["validate", bad, "--json"])).out) as {
      valid: boolean;
      issues: unknown[];
    };
    expect(json.valid).toBe(false);
    expect(json.issues.length).toBeGreaterThanOrEqual(4);
  });

  test("capabilities without a service are this process's own", async () => {
    const { out } = await cli(["capabilities"]);
    expect(JSON.parse(out)).toMatchObject({ supportedNodeTypes: expect.arrayContaining(["map", "tool"]) });
  });
});

describe("on a terminal", () => {
  test("run shows every node, and what came out", async () => {
    const { code, out } = await onTerminal(["run", "examples/react-flow.json"]).done;
    expect(code).toBe(0);
    const text = readable(out);
    for (const id of ["xy-1", "xy-2", "xy-3", "xy-4", "xy-5"]) expect(text).toContain(`✓ ${id}`);
    expect(text).toContain("verdict  28 words in 3 sentences");
    expect(out).toContain("\u001b[32m");
  });

  test("a workflow that is refused is not drawn first", async () => {
    const { code, out } = await onTerminal([
      "run",
      saved("refused.json", { nodes: [{ id: "a", type: "no" }] }),
    ]).done;
    expect(readable(out)).toMatch(/^\s*error: INVALID_WORKFLOW/);
    expect(code).toBe(2);
  });

  test("a terminal that says it has no columns gets 80", async () => {
    const { out } = await onTerminal(["run", "examples/react-flow.json"], {}, [0, 0]).done;
    expect(readable(out)).toContain("✓ xy-5");
    expect(readable(out)).toContain("verdict  28 words in 3 sentences");
  });

  test("NO_COLOR is honoured", async () => {
    const { out } = await onTerminal(["run", "examples/react-flow.json"], { NO_COLOR: "1" }).done;
    expect(readable(out)).toContain("completed");
    expect(out).not.toContain("\u001b[32m");
  });

  test("a tool's question is asked there, again if the answer makes no sense, and the run goes on", async () => {
    const running = onTerminal(["run", "examples/invoice.json"]);
    await running.shows("[y/n]");
    expect(readable(running.out)).toContain("Pay 1369.9 EUR to Nordlicht Druck");
    running.child.stdin.write("perhaps\r");
    await running.shows("Please answer y or n.");
    running.child.stdin.write("n\r");
    const { code, out } = await running.done;
    expect(readable(out)).toContain('"status":"rejected"');
    expect(code).toBe(0);
  });

  test("Ctrl-C cancels, also while a question is open", async () => {
    const running = onTerminal(["run", saved("endless.json", endless)]);
    await running.shows("● wait");
    running.child.stdin.write("\u0003");
    expect((await running.done).code).toBe(130);
    const asking = onTerminal(["run", "examples/invoice.json"]);
    await asking.shows("[y/n]");
    asking.child.stdin.write("\u0003");
    expect((await asking.done).code).toBe(130);
  });

  test("--json prints lines there too", async () => {
    const { out } = await onTerminal(["run", "examples/react-flow.json", "--json"]).done;
    expect(updatesIn(readable(out)).at(-1)?.type).toBe("execution-completed");
  });

  test("a saved checkpoint is what any other host takes", async () => {
    const checkpoint = join(folder, "terminal-run.json");
    await onTerminal(["run", "examples/react-flow.json", "--save-checkpoint", checkpoint]).done;
    expect(JSON.parse(readFileSync(checkpoint, "utf8"))).toMatchObject({
      protocol: 1,
      nodes: { "xy-4": {} },
    });
  });
});
