import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { execute } from "../../../compute/hosts/local.ts";
import { sandboxNodes } from "../../../compute/hosts/sandbox-nodes.ts";
import { builtinNodes, nodeTypes } from "../../../compute/nodes/index.ts";
import { createNodeSandbox } from "../../../compute/sandbox/node/sandbox.ts";
import { encodeJson, type Workflow } from "../../../protocol/index.ts";
import { launch, type Site, serveSite } from "./chromium.ts";
import type { CodePage } from "./page/code-page.ts";

const PAGE = fileURLToPath(new URL("./page/code.ts", import.meta.url));
const EXAMPLES = new URL("../../../examples/", import.meta.url);
const ROUNDS = 5;

const LOOPS = {
  integers: [
    "let x = 1; for (let i = 0; i < n; i += 1) x = (Math.imul(x, 1103515245) + 12345) | 0; return x",
    2e8,
  ],
  floats: ["let x = 0.5; for (let i = 0; i < n; i += 1) x = 3.7 * x * (1 - x); return x", 1e8],
  objects: [
    "let list = null; for (let i = 0; i < n; i += 1) list = { i, next: i % 100 === 0 ? null : list }; return list.i",
    1e8,
  ],
} as const;

describe("programs in a page", () => {
  let browser: Browser;
  let site: Site;
  let page: Page;
  beforeAll(async () => {
    browser = await launch();
    site = await serveSite({ "page.js": PAGE });
    page = await browser.newPage();
    await page.goto(site.url);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.[Symbol.asyncDispose]();
  });

  it.each(["primes", "mandelbrot-wasm"])("gives for %s what Node gives", async (name) => {
    const workflow = JSON.parse(await readFile(new URL(`${name}.json`, EXAMPLES), "utf8")) as Workflow;
    const inPage = await page.evaluate(
      (given) => (globalThis as unknown as { codePage: CodePage }).codePage.run(given),
      workflow,
    );
    const sandbox = createNodeSandbox();
    const types = nodeTypes(builtinNodes, sandboxNodes(sandbox));
    let onNode = "";
    for await (const update of execute(workflow, { types })) {
      if (update.type === "execution-completed") onNode = encodeJson(update.outputs);
    }
    await sandbox.close();
    expect(onNode).not.toBe("");
    expect(inPage === onNode).toBe(true);
  });

  it.each(Object.entries(LOOPS))(
    "computes over %s as quickly as beside the sandbox",
    async (name, [body, n]) => {
      // The best of each: others on this machine only ever make it slower.
      let ours = Number.POSITIVE_INFINITY;
      let plain = Number.POSITIVE_INFINITY;
      for (let round = 0; round < ROUNDS; round += 1) {
        const { sandboxMs, plainMs } = await page.evaluate(
          ([text, times]) => (globalThis as unknown as { codePage: CodePage }).codePage.speed(text, times),
          [body, n] as const,
        );
        ours = Math.min(ours, sandboxMs);
        plain = Math.min(plain, plainMs);
      }
      console.log(`Chromium, ${name}: ${(plain / ours).toFixed(2)} times as fast as plain V8`);
      expect(plain / ours).toBeGreaterThan(0.8);
    },
  );

  it("starts a program within milliseconds", async () => {
    const starts: number[] = [];
    for (let round = 0; round < 40; round += 1) {
      starts.push(
        await page.evaluate(() => (globalThis as unknown as { codePage: CodePage }).codePage.start()),
      );
    }
    console.log(`Chromium: a program starts and ends within ${median(starts).toFixed(2)} ms (median)`);
    expect(median(starts)).toBeLessThan(20);
  });
});

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
}
