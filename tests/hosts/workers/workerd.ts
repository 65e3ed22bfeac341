import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const WRANGLER = fileURLToPath(new URL("../../../node_modules/wrangler/bin/wrangler.js", import.meta.url));
const READY = /Ready on (http:\/\/\S+)/;
const START_MS = 45_000;

export interface Workerd extends AsyncDisposable {
  readonly url: string;
  /** What it has written so far. */
  readonly log: () => string;
}

/** The service on workerd, as `npm run start:workers` serves it, on a free port; or another worker. */
export async function startWorkerd(
  variables: Readonly<Record<string, string>> = {},
  worker?: string,
): Promise<Workerd> {
  const vars = Object.entries(variables).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  const args = [
    "dev",
    ...(worker === undefined ? [] : [worker]),
    "--local",
    "--port",
    "0",
    "--inspector-port",
    "0",
    "--show-interactive-dev-session=false",
  ];
  const child = spawn(process.execPath, [WRANGLER, ...args, ...vars], {
    cwd: ROOT,
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "1" },
    stdio: ["ignore", "pipe", "pipe"],
    // Its own group, so that workerd, which it starts, ends with it.
    detached: true,
  });
  let log = "";
  const take = (chunk: Buffer) => {
    log += chunk;
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  const url = await new Promise<string>((resolve, reject) => {
    const late = setTimeout(() => fail("did not start in time"), START_MS);
    const fail = (what: string) => reject(new Error(`wrangler ${what}:\n${log}`));
    child.stdout.on("data", () => {
      const [, found] = READY.exec(log) ?? [];
      if (found === undefined) return;
      clearTimeout(late);
      resolve(found);
    });
    child.once("error", (cause) => fail(String(cause)));
    child.once("exit", (code) => fail(`ended with ${code}`));
  }).catch(async (cause: unknown) => {
    await end(child);
    throw cause;
  });
  return { url, log: () => log, [Symbol.asyncDispose]: () => end(child) };
}

function end(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return resolve();
    child.once("exit", () => resolve());
    process.kill(-child.pid, "SIGTERM");
  });
}
