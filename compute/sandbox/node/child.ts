import type { Buffer } from "node:buffer";
import { NodeflowError } from "../../../protocol/index.ts";
import { encodeFrame, type Frame, FrameReader } from "./frame.ts";
import { type EngineChoice, type Launched, launch } from "./launch.ts";
import { type Order, Word } from "./message.ts";

/** What a job reads of its child. */
export interface Listener {
  heard(word: Word, parts: readonly Uint8Array<ArrayBuffer>[]): void;
  /** The child is gone, or of no more use. */
  lost(error: NodeflowError): void;
}

/** A child process as its host sees it. What it says is checked; whatever isn't what was agreed ends it. */
export class Child {
  readonly memoryMb: number;
  /** Resolves with the engine's name once the child can be given jobs; rejects if it can't start. */
  readonly ready: Promise<string>;
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>;
  /** The group whose isolate it has; null while it is fresh. */
  group: string | null = null;
  dead = false;
  readonly #launched: Launched;
  readonly #reader: FrameReader;
  readonly #programs = new Map<string, number>();
  #groups = 0;
  #listener: Listener | null = null;
  #readyWith: ((engine: string) => void) | null = null;

  constructor(memoryMb: number, dataKiB: number, maxFrameBytes: number, engine: EngineChoice = "quickest") {
    this.memoryMb = memoryMb;
    this.#launched = launch(memoryMb, dataKiB, engine);
    this.#reader = new FrameReader(maxFrameBytes);
    const { process, channel } = this.#launched;
    this.gone = new Promise((resolve) => {
      process.once("close", () => resolve());
      process.once("error", () => resolve());
    });
    this.ready = new Promise((resolve, reject) => {
      this.#readyWith = resolve;
      process.once("error", reject);
      process.once("exit", (code, signal) => reject(new Error(`A sandbox did not start: ${signal ?? code}`)));
    });
    this.ready.catch(() => undefined);
    process.once("error", () => this.#lose());
    process.once("exit", () => this.#lose());
    channel.on("data", (chunk: Buffer) => this.#read(chunk));
    // A channel breaks when its child dies, which `exit` tells.
    channel.on("error", () => undefined);
  }

  get pid(): number | undefined {
    return this.#launched.process.pid;
  }

  /** Whether this process must stay for the child. */
  hold(held: boolean): void {
    const { process, channel } = this.#launched;
    const handle = channel as unknown as { ref(): void; unref(): void };
    if (held) {
      process.ref();
      handle.ref();
    } else {
      process.unref();
      handle.unref();
    }
  }

  listen(listener: Listener | null): void {
    this.#listener = listener;
    this.hold(listener !== null);
  }

  /** Number of the group, counted by this child. */
  enter(group: string): number {
    if (group !== this.group) {
      this.group = group;
      this.#groups += 1;
      this.#programs.clear();
    }
    return this.#groups;
  }

  /** The number of a script within the group, and whether the child has it. */
  know(script: string): { readonly program: number; readonly scripted: boolean } {
    const known = this.#programs.get(script);
    if (known !== undefined) return { program: known, scripted: false };
    const program = this.#programs.size;
    this.#programs.set(script, program);
    return { program, scripted: true };
  }

  /** Makes it as good as new: its next group needn't wait for that. */
  refresh(): void {
    if (this.group === null) return;
    this.group = null;
    this.tell({ type: "refresh" });
  }

  tell(order: Order, parts: readonly (string | ArrayBuffer)[] = []): void {
    this.#launched.channel.write(encodeFrame(order, parts));
  }

  /** Kills it, and tells its job why. */
  abandon(error: NodeflowError): void {
    this.#fail(error);
  }

  kill(): void {
    const { process, channel } = this.#launched;
    this.dead = true;
    // Its end is near, and seen.
    process.ref();
    process.kill("SIGKILL");
    channel.destroy();
  }

  #read(chunk: Buffer): void {
    try {
      for (const frame of this.#reader.push(chunk)) this.#hear(frame);
    } catch (cause) {
      this.#fail(new NodeflowError("SANDBOX_VIOLATION", "The program broke out of its engine", { cause }));
    }
  }

  #hear({ header, parts }: Frame): void {
    const word = Word.parse(header);
    if (word.type === "ready") {
      this.hold(false);
      this.#readyWith?.(word.engine);
    } else if (this.#listener) this.#listener.heard(word, parts);
    // Lines of a job that has ended meanwhile may still be on their way.
    else if (word.type !== "log") throw new TypeError(`Nobody asked for ${word.type}`);
  }

  #lose(): void {
    this.#fail(
      new NodeflowError("RESOURCE_EXHAUSTED", `The program needed more than ${this.memoryMb} MiB of memory`),
    );
  }

  #fail(error: NodeflowError): void {
    const listener = this.#listener;
    this.#listener = null;
    this.kill();
    listener?.lost(error);
  }
}
