import { createBrowserSandbox } from "../../../../compute/sandbox/browser/sandbox.ts";
import { serveSandbox } from "../../../support/remote-sandbox.ts";

/** What the test gives the page, and what it calls. */
interface SandboxPage {
  /** Tells the test. */
  tellTest(text: string): void;
  /** Tells the page. */
  tellPage(text: string): void;
}

const page = globalThis as unknown as SandboxPage;
serveSandbox(createBrowserSandbox(), {
  send: (text) => page.tellTest(text),
  listen: (listener) => {
    page.tellPage = listener;
  },
});
