import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ExecutionUpdate } from "../../../protocol/index.ts";
import { type Answer, type Upstream, upstream } from "../node/upstream.ts";
import { launch, type Site, serveSite } from "./chromium.ts";
import type { CallingPage } from "./page/calling-page.ts";

const SHARED = { "access-control-allow-origin": "*" };

describe("calling out from a page", () => {
  let browser: Browser;
  let site: Site;
  let page: Page;
  let server: Upstream;
  let closed: PromiseWithResolvers<number>;
  beforeAll(async () => {
    closed = Promise.withResolvers();
    const shared =
      (answer: Answer): Answer =>
      (response, request) => {
        for (const [name, value] of Object.entries(SHARED)) response.setHeader(name, value);
        return answer(response, request);
      };
    server = await upstream({
      "/json": shared((response) => void response.end('{"a":1}')),
      "/lines": shared((response) => void response.end("one\ntwo\n")),
      "/moved": shared((response) => void response.writeHead(302, { location: "/json" }).end()),
      "/busy": shared((response) => void response.writeHead(429).end("busy")),
      "/private": (response) => void response.end('"not for pages"'),
      "/endless": shared((response) => {
        const writing = setInterval(() => response.write("more\n"), 5);
        response.once("close", () => {
          clearInterval(writing);
          closed.resolve(performance.now());
        });
      }),
    });
    browser = await launch();
    site = await serveSite({ "page.js": fileURLToPath(new URL("./page/calling.ts", import.meta.url)) });
    page = await browser.newPage();
    await page.goto(site.url);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  async function call(data: object, cancelAfter?: number): Promise<ExecutionUpdate[]> {
    const text = await page.evaluate(
      ([given, after]) =>
        (globalThis as unknown as { callingPage: CallingPage }).callingPage.call(given, after),
      [data, cancelAfter] as const,
    );
    return JSON.parse(text) as ExecutionUpdate[];
  }
  const outputs = (updates: ExecutionUpdate[]) =>
    updates.flatMap((update) => (update.type === "node-output" ? [update.value] : []));

  test("reads what servers share with pages, redirects followed", async () => {
    expect(outputs(await call({ url: `${server.url}/json` }))).toEqual([{ a: 1 }]);
    expect(outputs(await call({ url: `${server.url}/moved` }))).toEqual([{ a: 1 }]);
    expect(outputs(await call({ url: `${server.url}/lines`, read: "lines" }))).toEqual(["one", "two"]);
  });

  test("tells what failed", async () => {
    expect((await call({ url: `${server.url}/busy` })).at(-1)).toMatchObject({
      error: { code: "UPSTREAM_ERROR", retryable: true, details: { status: 429, body: "busy" } },
    });
  });

  test("doesn't get what servers keep from pages", async () => {
    expect((await call({ url: `${server.url}/private` })).at(-1)).toMatchObject({
      error: { code: "UPSTREAM_ERROR" },
    });
  });

  test("lets go of what it reads once the run is cancelled", async () => {
    const updates = await call({ url: `${server.url}/endless`, read: "lines" }, 3);
    const ended = performance.now();
    expect(updates.at(-1)?.type).toBe("execution-cancelled");
    expect((await closed.promise) - ended).toBeLessThan(100);
  });
});
