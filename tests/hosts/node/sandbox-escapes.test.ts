import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createNodeSandbox, type NodeSandbox } from "../../../compute/sandbox/node/sandbox.ts";
import { runCase } from "../../contract/sandbox/case.ts";
import { chainsOf } from "../../support/hostile/chains.ts";
import { ESCAPES, type Escape } from "../../support/hostile/escapes.ts";

const CANARY = "canary-8c1f2e";
const LOOKING =
  "export default () => [{}.polluted === undefined, [1, 2].map((x) => x + 1), JSON.stringify([1]), typeof Promise.resolve().then]";

describe("programs that look for a way out, on Node", () => {
  let sandbox: NodeSandbox;
  let folder: string;
  let listener: Server;
  let connections = 0;
  beforeAll(async () => {
    process.env["NODEFLOW_CANARY"] = CANARY;
    folder = await mkdtemp(join(tmpdir(), "nodeflow-"));
    await writeFile(join(folder, CANARY), CANARY);
    listener = createServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    sandbox = createNodeSandbox({ children: 1 });
    await sandbox.warm();
  });
  afterAll(async () => {
    delete process.env["NODEFLOW_CANARY"];
    await sandbox.close();
    await new Promise((resolve) => listener.close(resolve));
    await rm(folder, { recursive: true });
    expect(connections).toBe(0);
  });

  async function nothingGetsOut({ source, inputs = {}, stream = false }: Escape): Promise<void> {
    const result = await runCase(sandbox, { rule: "", source, inputs, stream });
    expect(JSON.stringify(result)).not.toContain(CANARY);
    const found = result.values.flat(4).filter((value) => typeof value === "string");
    expect(found).toEqual([]);
    if (result.error) expect(result.error.message).not.toMatch(/foreign|maker| at given/);
    expect(result.logs.every(([, line]) => line.length <= 4_096)).toBe(true);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    const after = await runCase(sandbox, { rule: "", source: LOOKING });
    expect(after.values).toEqual([[true, [2, 3], "[1]", "function"]]);
  }

  for (const way of ESCAPES) it(`finds nothing by ${way.name}`, () => nothingGetsOut(way));

  it.each([1, 2, 3])("finds nothing by chains of properties (seed %i)", async (seed) => {
    await nothingGetsOut(chainsOf(seed));
  });
});
