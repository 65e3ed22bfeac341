import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { build } from "esbuild";
import { type Browser, chromium } from "playwright-core";
import { findChromium } from "../../../scripts/chromium.ts";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Chromium as the system has it. Fails, and says so, where there is none. */
export async function launch(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined)
    throw new Error("There is no Chromium: install it, or set CHROMIUM to its path");
  return await chromium.launch({ executablePath, args: FLAGS });
}

export interface Site extends AsyncDisposable {
  /** On localhost, where service workers are allowed. */
  readonly url: string;
}

/** Serves a page with these scripts, each bundled from its entry: `{ "page.js": "…/page.ts" }`. The page loads `page.js`. */
export async function serveSite(scripts: Readonly<Record<string, string>>): Promise<Site> {
  const bundles = new Map<string, string>();
  for (const [name, entry] of Object.entries(scripts)) bundles.set(`/${name}`, await bundle(entry));
  const server = createServer((request, response) => {
    const script = bundles.get(request.url ?? "");
    const type = script === undefined ? "text/html" : "text/javascript";
    response.writeHead(200, { "content-type": type });
    response.end(script ?? '<!doctype html><meta charset="utf-8"><script src="/page.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function bundle(entry: string): Promise<string> {
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "iife",
    platform: "browser",
    target: "es2023",
    charset: "utf8",
    logLevel: "silent",
  });
  return result.outputFiles[0]?.text ?? "";
}
