import { type ChildProcess, fork } from "node:child_process";
import { setPriority } from "node:os";
import process from "node:process";
import { NodeflowError } from "../../protocol/index.ts";
import type { Port, ToFar, ToNear } from "../engine/index.ts";

/** What the processes of a pool have in common. */
export interface ProcessOptions {
  /** A module that exports `nodeTypes`, a list of types beside the built-in ones. */
  readonly types: URL | undefined;
  /** Of V8's heap. A process that needs more ends, and its attempt with `RESOURCE_EXHAUSTED`. */
  readonly memoryMb: number;
}

/** What a process is told, and what it says: about the attempt of a number, so that nothing late is taken for the next one's. */
export interface Down {
  readonly attempt: number;
  readonly message: ToFar;
}
export type Up =
  | { readonly types: readonly string[] }
  | { readonly failed: string }
  | { readonly attempt: number; readonly message: ToNear };

const EXTENSION = import.meta.url.endsWith(".ts") ? "ts" : "js";
const ENTRY = new URL(`./node-pool-worker.${EXTENSION}`, import.meta.url);

/** A little less than everybody else's, so that the event loop comes first where cores are scarce. */
const NICENESS = 5;

/**
 * One process that runs attempts, one at a time. It is a process and not a thread, because only a process can be killed
 * wherever it is: see ARCHITECTURE.md.
 */
export class PoolProcess {
  readonly id: string;
  /** The names of the types that it knows. Rejects if it doesn't start. */
  readonly ready: Promise<ReadonlySet<string>>;
  readonly exited: Promise<void>;
  readonly #child: ChildProcess;
  readonly #options: ProcessOptions;
  #attempt = 0;
  #onMessage: ((message: ToNear) => void) | null = null;
  #onClosed: ((error: unknown) => void) | null = null;
  #killed = false;
  #end: NodeflowError | null = null;

  /** Throws if it can't even be tried. */
  constructor(id: string, options: ProcessOptions) {
    this.id = id;
    this.#options = options;
    this.#child = started(options);
    const { promise: ready, resolve, reject } = Promise.withResolvers<ReadonlySet<string>>();
    this.ready = ready;
    ready.catch(() => undefined);
    this.exited = new Promise((exited) => {
      const ended = (error: NodeflowError) => {
        this.#end = error;
        reject(error);
        this.#onClosed?.(error);
        exited();
      };
      this.#child.once("exit", (code, signal) => ended(this.#why(code, signal)));
      this.#child.on("error", (cause) => {
        // What couldn't be sent is followed by the exit; what couldn't be started has none.
        if (this.#child.pid === undefined) ended(notStarted(cause.message));
      });
    });
    this.#child.on("message", (up: Up) => {
      if ("types" in up) resolve(new Set(up.types));
      else if ("failed" in up) reject(notStarted(up.failed));
      else if (up.attempt === this.#attempt) this.#onMessage?.(up.message);
    });
    this.#yieldToOthers();
  }

  /** For the next attempt. `released` hears of its end: whether the process can take another. */
  open(released: (reusable: boolean) => void): Port<ToFar, ToNear> {
    this.#attempt += 1;
    const attempt = this.#attempt;
    return {
      send: (message) => {
        if (!this.#killed && !this.#end)
          this.#child.send({ attempt, message } satisfies Down, () => undefined);
      },
      listen: (message, closed) => {
        this.#onMessage = message;
        this.#onClosed = closed;
        if (this.#end) queueMicrotask(() => this.#onClosed?.(this.#end));
      },
      close: (finished) => {
        this.#onMessage = null;
        this.#onClosed = null;
        const reusable = finished && !this.#killed && !this.#end;
        if (!reusable) this.kill();
        released(reusable);
      },
    };
  }

  kill(): void {
    this.#killed = true;
    // Whoever waits for its end sees it, also where nothing else is left to wait for.
    this.#child.ref();
    this.#child.kill("SIGKILL");
  }

  /** Whether it keeps this process alive: while it has something to do. */
  hold(holds: boolean): void {
    if (holds) this.#child.ref();
    else this.#child.unref();
    if (holds) this.#child.channel?.ref();
    else this.#child.channel?.unref();
  }

  #why(code: number | null, signal: NodeJS.Signals | null): NodeflowError {
    // V8 aborts when its heap is full; the system kills when its own memory is.
    if (signal === "SIGABRT" || (signal === "SIGKILL" && !this.#killed)) {
      const message = `The node needed more memory than the ${this.#options.memoryMb} MB that it may have`;
      return new NodeflowError("RESOURCE_EXHAUSTED", message);
    }
    return new NodeflowError("NODE_FAILED", `The process that the node ran in ended (${signal ?? code})`);
  }

  #yieldToOthers(): void {
    if (this.#child.pid === undefined) return;
    try {
      setPriority(this.#child.pid, NICENESS);
    } catch {
      // It has ended already, or the system doesn't allow it: then it competes with everybody else.
    }
  }
}

function started({ types, memoryMb }: ProcessOptions): ChildProcess {
  try {
    return fork(ENTRY, types ? [types.href] : [], {
      serialization: "advanced",
      execArgv: [`--max-old-space-size=${memoryMb}`],
      env: environment(),
      // Standard output is the command line's own.
      stdio: ["ignore", 2, 2, "ipc"],
    });
  } catch (cause) {
    throw notStarted(cause instanceof Error ? cause.message : String(cause));
  }
}

function notStarted(why: string): NodeflowError {
  return new NodeflowError("NODE_FAILED", `The process for heavy nodes doesn't start: ${why}`, {
    retryable: false,
  });
}

/** What the service is configured by, its tokens and secrets first of all, is no business of nodes. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("NODEFLOW_")));
}
