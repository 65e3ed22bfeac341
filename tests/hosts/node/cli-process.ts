import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const ENTRY = fileURLToPath(new URL("../../../compute/cli/main.ts", import.meta.url));
const PATIENCE_MS = 20_000;

export interface Finished {
  /** The exit code, or the signal that killed it. */
  readonly code: number | string;
  readonly out: string;
  readonly err: string;
}

const running = new Set<CliProcess>();

/** Kills what a failed test has left. */
export function stopAll(): void {
  for (const { child } of running) child.kill("SIGKILL");
}

/** A command under way. */
export class CliProcess {
  readonly child: ChildProcessWithoutNullStreams;
  readonly done: Promise<Finished>;
  out = "";
  err = "";
  #waiting: (() => void)[] = [];

  constructor(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const { PATH, HOME } = process.env;
    this.child = spawn(command, args, { cwd: ROOT, env: { PATH, HOME, ...env } });
    this.child.stdout.on("data", (chunk: Buffer) => this.#more(() => (this.out += chunk)));
    this.child.stderr.on("data", (chunk: Buffer) => this.#more(() => (this.err += chunk)));
    running.add(this);
    this.child.stdin.on("error", () => {
      // The command may have ended without reading.
    });
    this.done = new Promise((resolve) => {
      this.child.once("close", (code, signal) => {
        running.delete(this);
        resolve({ code: code ?? signal ?? "nothing", out: this.out, err: this.err });
        this.#more(() => undefined);
      });
    });
  }

  /** Resolves once standard output (or error) shows something, counted in what a person would read. */
  async shows(what: string | RegExp): Promise<void> {
    const late = Date.now() + PATIENCE_MS;
    for (;;) {
      const seen = stripVTControlCharacters(this.out + this.err);
      if (typeof what === "string" ? seen.includes(what) : what.test(seen)) return;
      if (Date.now() > late || this.child.exitCode !== null)
        throw new Error(`Did not show ${what}:\n${seen}`);
      await new Promise<void>((resolve) => {
        const impatience = setTimeout(resolve, PATIENCE_MS);
        this.#waiting.push(() => {
          clearTimeout(impatience);
          resolve();
        });
      });
    }
  }

  #more(take: () => void): void {
    take();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** `nodeflow ARGS`, with pipes for everything. */
export function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): CliProcess {
  return new CliProcess(process.execPath, [ENTRY, ...args], env);
}

export async function cli(args: readonly string[], input = ""): Promise<Finished> {
  const command = start(args);
  command.child.stdin.end(input);
  return command.done;
}

/** `nodeflow ARGS` on a terminal of its own (util-linux `script`), of 80 columns and 24 lines if not said otherwise. */
export function onTerminal(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  [columns, rows]: readonly [columns: number, rows: number] = [80, 24],
): CliProcess {
  const command = [`stty cols ${columns} rows ${rows};`, "exec", process.execPath, ENTRY, ...args].join(" ");
  return new CliProcess("script", ["-qfec", command, "/dev/null"], { TERM: "xterm-256color", ...env });
}

/** What a person reads. */
export function readable(out: string): string {
  return stripVTControlCharacters(out).replaceAll("\r", "");
}
