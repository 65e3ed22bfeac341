import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const ENTRY = fileURLToPath(new URL("../../../compute/hosts/node.ts", import.meta.url));
const START_MS = 20_000;

export interface ServiceProcess extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  readonly stop: (signal: NodeJS.Signals) => void;
  /** The exit code, or the signal that killed it. */
  readonly exit: Promise<number | string>;
  /** What it wrote to standard output. */
  readonly output: () => string;
  /** What it wrote to standard error. */
  readonly errors: () => string;
}

/** The service as `npm start` runs it, in a process of its own, on a free port. */
export async function startProcess(
  variables: Readonly<Record<string, string>> = {},
): Promise<ServiceProcess> {
  const child = spawn(process.execPath, [ENTRY], {
    env: { PATH: process.env["PATH"], PORT: "0", ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk;
  });
  const exit = new Promise<number | string>((resolve) => {
    child.once("exit", (code, signal) => resolve(code ?? signal ?? "nothing"));
  });
  const url = await new Promise<string>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`The service did not start:\n${errors}`)), START_MS);
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk;
      const [, found] = /listens on (http:\/\/\S+)/.exec(output) ?? [];
      if (found === undefined) return;
      clearTimeout(late);
      resolve(found);
    });
    exit.then((code) => {
      clearTimeout(late);
      reject(new Error(`The service ended with ${code}:\n${errors}`));
    });
  });
  return {
    url,
    pid: child.pid ?? 0,
    stop: (signal) => child.kill(signal),
    exit,
    output: () => output,
    errors: () => errors,
    [Symbol.asyncDispose]: () => kill(child, exit),
  };
}

async function kill(child: ChildProcess, exit: Promise<unknown>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
  await exit;
}
