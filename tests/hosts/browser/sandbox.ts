import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import type { Sandbox } from "../../../compute/sandbox/index.ts";
import { remoteSandbox } from "../../support/remote-sandbox.ts";
import { launch, serveSite } from "./chromium.ts";

const PAGE = fileURLToPath(new URL("./page/sandbox.ts", import.meta.url));

/** The sandbox of a page of its own, in a Chromium of its own. */
export async function chromiumSandbox(): Promise<Sandbox> {
  const browser = await launch();
  const site = await serveSite({ "page.js": PAGE });
  const page = await browser.newPage();
  return {
    ...(await sandboxOf(page, site.url)),
    async close() {
      await browser.close();
      await site[Symbol.asyncDispose]();
    },
  };
}

async function sandboxOf(page: Page, url: string): Promise<Sandbox> {
  let listener = (_text: string) => {};
  await page.exposeFunction("tellTest", (text: string) => listener(text));
  await page.goto(url);
  const tellPage = (text: string) =>
    (globalThis as unknown as { tellPage(text: string): void }).tellPage(text);
  return remoteSandbox({
    send: (text) => void page.evaluate(tellPage, text),
    listen: (heard) => {
      listener = heard;
    },
  });
}
