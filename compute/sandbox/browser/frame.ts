import { FRAME_SANDBOX, FRAME_SCRIPT, frameDocument } from "./frame-script.ts";

/** A worker in a frame, whose guest is installed. */
export interface FrameWorker {
  readonly port: MessagePort;
  /** Ends it, whatever it computes. */
  kill(): void;
}

/** How long a frame may take to say that it is alive, in ms. */
const PATIENCE_MS = 3_000;
const START_MS = 20_000;

const CANNOT_START =
  "The sandbox's frame doesn't start. The page's Content-Security-Policy must let frames of its own run inline scripts, eval and workers of blob:";

/**
 * A frame of an origin that nothing else has, without network, in which workers run programs. Nothing of the page is within its
 * reach but one port, which its workers don't have.
 */
export class Frame {
  readonly #element: HTMLIFrameElement;
  readonly #control: MessagePort;
  readonly #loaded: Promise<void>;
  #workers = 0;
  #heard = () => {};

  constructor() {
    const element = document.createElement("iframe");
    element.setAttribute("sandbox", FRAME_SANDBOX);
    element.setAttribute("aria-hidden", "true");
    element.tabIndex = -1;
    element.style.display = "none";
    element.srcdoc = frameDocument(crypto.randomUUID(), FRAME_SCRIPT);
    this.#element = element;
    const { port1, port2 } = new MessageChannel();
    this.#control = port1;
    port1.onmessage = () => this.#heard();
    this.#loaded = new Promise((resolve) => {
      element.onload = () => {
        // Its origin has no name.
        element.contentWindow?.postMessage(null, "*", [port2]);
        resolve();
      };
    });
    document.documentElement.append(element);
  }

  /** Rejects if the frame, or the worker in it, doesn't start in time. */
  async spawn(): Promise<FrameWorker> {
    this.#workers += 1;
    const id = this.#workers;
    const { port1: port, port2 } = new MessageChannel();
    const kill = () => {
      port.close();
      this.#control.postMessage(["kill", id]);
    };
    const ready = new Promise<void>((resolve) => {
      port.onmessage = () => resolve();
    });
    await this.#loaded;
    this.#control.postMessage(["spawn", id], [port2]);
    if (await isLate(ready, START_MS)) {
      kill();
      throw new Error(CANNOT_START);
    }
    return { port, kill };
  }

  /** Whether it still does what it is told. */
  async isAlive(): Promise<boolean> {
    const heard = new Promise<void>((resolve) => {
      this.#heard = resolve;
    });
    this.#control.postMessage(["ping"]);
    return !(await isLate(heard, PATIENCE_MS));
  }

  /** Ends it with all its workers. */
  remove(): void {
    this.#control.close();
    this.#element.remove();
  }
}

async function isLate(done: Promise<void>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<true>((resolve) => {
    timer = setTimeout(resolve, ms, true);
  });
  try {
    return await Promise.race([done.then(() => false), late]);
  } finally {
    clearTimeout(timer);
  }
}
