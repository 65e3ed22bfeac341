import { fileURLToPath } from "node:url";
import { sandboxContract } from "../../contract/sandbox.ts";
import { remoteSandbox } from "../../support/remote-sandbox.ts";
import { launch, serveSite } from "./chromium.ts";

const PAGE = fileURLToPath(new URL("./page/sandbox.ts", import.meta.url));

sandboxContract("Chromium", async () => {
  const browser = await launch();
  const site = await serveSite({ "page.js": PAGE });
  const page = await browser.newPage();
  let listener = (_text: string) => {};
  await page.exposeFunction("tellTest", (text: string) => listener(text));
  await page.goto(site.url);
  const tellPage = (text: string) =>
    (globalThis as unknown as { tellPage(text: string): void }).tellPage(text);
  const sandbox = remoteSandbox({
    send: (text) => void page.evaluate(tellPage, text),
    listen: (heard) => {
      listener = heard;
    },
  });
  return {
    ...sandbox,
    async close() {
      await browser.close();
      await site[Symbol.asyncDispose]();
    },
  };
});
