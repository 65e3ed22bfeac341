import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { topics } from "../../conformance/topics.ts";
import { launch, type Site, serveSite } from "./chromium.ts";
import type { ConformancePage } from "./page/conformance.ts";

const entry = (name: string) => fileURLToPath(new URL(`./page/${name}`, import.meta.url));
const cases = topics.reduce((sum, topic) => sum + topic.cases.length, 0);

describe("conformance in Chromium", () => {
  let browser: Browser;
  let site: Site;
  let page: Page;
  beforeAll(async () => {
    browser = await launch();
    site = await serveSite({
      "page.js": entry("page.ts"),
      "service-worker.js": entry("service-worker.ts"),
    });
    page = await browser.newPage();
    await page.goto(site.url);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.[Symbol.asyncDispose]();
  });

  it.each(["inPage", "inServiceWorker"] as const)("%s", async (where) => {
    const report = await page.evaluate(
      (method) => (globalThis as unknown as { conformancePage: ConformancePage }).conformancePage[method](),
      where,
    );
    expect(report).toEqual({ cases, failures: [] });
  });
});
