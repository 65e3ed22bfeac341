/** What a measured server, in a process of its own, and the bench tell each other. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import process from "node:process";

/** A request to the server's process, and what it answers. */
export type Ask = { readonly ask: "memory" } | { readonly ask: "replay"; readonly events: readonly Event[] };
export type Told = { readonly url: string } | { readonly rss: number } | { readonly ready: true };

/** One server-sent event. */
export interface Event {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** In the server's process: says where it listens and answers whatever the bench asks. */
export function serveTheBench(url: string, replay: (events: readonly Event[]) => void = () => {}): void {
  const tell = (told: Told) => process.send?.(told);
  process.on("message", (message: Ask) => {
    if (message.ask === "replay") {
      replay(message.events);
      tell({ ready: true });
      return;
    }
    globalThis.gc?.();
    tell({ rss: process.memoryUsage.rss() });
  });
  process.on("disconnect", () => process.exit());
  tell({ url });
}

/** A server under measurement. Dispose of it and its process is gone. */
export class MeasuredServer implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly url: URL;

  private constructor(process: ChildProcess, url: URL) {
    this.#process = process;
    this.url = url;
  }

  static async start(module: URL, env: Readonly<Record<string, string>> = {}): Promise<MeasuredServer> {
    const child = fork(module, {
      execArgv: ["--expose-gc"],
      env: { ...process.env, ...env },
      stdio: "inherit",
    });
    const gone = once(child, "exit").then(([code]) =>
      Promise.reject(new Error(`The server ended with ${code}`)),
    );
    const [told] = await Promise.race([once(child, "message"), gone]);
    gone.catch(() => {}); // From here on its end is what we ask for.
    return new MeasuredServer(child, new URL(told.url));
  }

  async #ask(ask: Ask) {
    this.#process.send(ask);
    const [told] = await once(this.#process, "message");
    return told;
  }

  /** Bytes of the process after a garbage collection. */
  async memory(): Promise<number> {
    return (await this.#ask({ ask: "memory" })).rss;
  }

  /** From now on the control writes these events. */
  async replay(events: readonly Event[]): Promise<void> {
    await this.#ask({ ask: "replay", events });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const exited = once(this.#process, "exit");
    this.#process.kill();
    await exited;
  }
}
