import { conformance } from "./conformance.ts";

/** The part of a service worker's message event that is used here. */
interface Asked extends MessageEvent {
  /** Keeps the worker alive until then. */
  waitUntil(done: Promise<unknown>): void;
}

addEventListener("message", (event) => {
  const asked = event as MessageEvent as Asked;
  const [port] = asked.ports;
  const done = conformance().then(
    (report) => port?.postMessage({ report }),
    (error: unknown) => port?.postMessage({ error: String(error) }),
  );
  asked.waitUntil(done);
});
