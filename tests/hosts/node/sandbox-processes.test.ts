import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { createNodeSandbox } from "../../../compute/sandbox/node/sandbox.ts";
import type { Value } from "../../../protocol/index.ts";
import { type JobOptions, jobOf } from "../../contract/sandbox/case.ts";

const PARENT = fileURLToPath(new URL("sandbox-parent.ts", import.meta.url));
const CHILD = fileURLToPath(new URL("../../../compute/sandbox/node/child/main.ts", import.meta.url));
const SPIN = "export default () => Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)";
const PATIENCE_MS = 5_000;

async function warmed(children: number) {
  const sandbox = createNodeSandbox({ children });
  await sandbox.warm();
  const start = (options: JobOptions) => sandbox.start(jobOf(options), new AbortController().signal);
  const values = async (options: JobOptions) => {
    const all: Value[] = [];
    for await (const value of await start(options)) all.push(value);
    return all;
  };
  return { sandbox, start, values, [Symbol.asyncDispose]: () => sandbox.close() };
}

describe("processes of the sandbox", () => {
  it("have no environment, no folder, and nothing open but their channel", async () => {
    process.env["NODEFLOW_CANARY"] = "canary";
    await using warm = await warmed(1);
    delete process.env["NODEFLOW_CANARY"];
    const [pid = 0] = warm.sandbox.pids;
    const names = readFileSync(`/proc/${pid}/environ`, "latin1")
      .split("\0")
      .map((entry) => entry.split("=")[0])
      .filter((name) => name !== "");
    // Shells add their own.
    expect(names.filter((name) => !/^(PWD|OLDPWD|SHLVL|_)$/.test(name ?? "")).sort()).toEqual([
      "TZ",
      "UV_THREADPOOL_SIZE",
    ]);
    expect(readlinkSync(`/proc/${pid}/cwd`)).toBe("/");
    const open = readdirSync(`/proc/${pid}/fd`).map(
      (fd) => [fd, readlinkSync(`/proc/${pid}/fd/${fd}`)] as const,
    );
    expect(open.filter(([, target]) => target.startsWith("socket:")).map(([fd]) => fd)).toEqual(["3"]);
    const files = open.filter(([, target]) => target.startsWith("/") && !target.startsWith("/dev/null"));
    expect(files.filter(([, target]) => !target.includes("/node_modules/"))).toEqual([]);
  });

  it("write no core files, and can't lift their bounds", async () => {
    await using warm = await warmed(1);
    const limits = readFileSync(`/proc/${warm.sandbox.pids[0]}/limits`, "utf8");
    expect(limits).toMatch(/Max core file size +0 +0 /);
    const [, soft, hard] = /Max data size +(\d+) +(\d+) /.exec(limits) ?? [];
    expect(Number(soft)).toBeGreaterThan(0);
    expect(hard).toBe(soft);
  });

  it("refuse to run where they could do more than compute", async () => {
    const child = spawn(process.execPath, ["--no-node-snapshot", CHILD, "64"], {
      stdio: ["ignore", "ignore", "pipe", "pipe"],
    });
    let said = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      said += chunk;
    });
    const [code] = await once(child, "exit");
    expect(code).toBe(1);
    expect(said).not.toBe("");
  });

  it("are replaced when somebody kills one: its job fails, and no other", async () => {
    await using warm = await warmed(2);
    const doomed = await warm.start({ source: SPIN, group: "a", timeoutMs: 60_000 });
    const before = warm.sandbox.pids;
    const pending = doomed.next().catch((error: unknown) => error);
    const source =
      "export default () => { let n = 0; for (let i = 0; i < 5e7; i += 1) n += i; return n > 0 }";
    const other = warm.values({ source, group: "b" });
    const spinning = await busiest(before);
    process.kill(spinning, "SIGKILL");
    expect(await pending).toMatchObject({ code: "RESOURCE_EXHAUSTED" });
    expect(await other).toEqual([true]);
    await warm.sandbox.warm();
    expect(warm.sandbox.pids).toHaveLength(2);
    expect(warm.sandbox.pids).not.toContain(spinning);
  });

  it("compute for a run that has none, although another's programs take all places and never end", async () => {
    await using warm = await warmed(1);
    const abort = new AbortController();
    const hogs = Array.from({ length: 10 }, async () => {
      const job = jobOf({ source: SPIN, group: "hog", timeoutMs: 60_000 });
      await (await warm.sandbox.start(job, abort.signal)).next();
    });
    for (const hog of hogs) hog.catch(() => undefined);
    expect(await warm.values({ source: "export default () => 7", group: "other" })).toEqual([7]);
    abort.abort();
  });

  it("compute for a caller who has none, although each of another's many runs never ends", async () => {
    await using warm = await warmed(1);
    const abort = new AbortController();
    const hogs = Array.from({ length: 40 }, async (_, n) => {
      const job = jobOf({ source: SPIN, owner: "hog", group: `hog ${n}`, timeoutMs: 60_000 });
      await (await warm.sandbox.start(job, abort.signal)).next();
    });
    for (const hog of hogs) hog.catch(() => undefined);
    const other = { source: "export default () => 7", owner: "other", group: "other" };
    expect(await warm.values(other)).toEqual([7]);
    expect(warm.sandbox.pids.length).toBeLessThan(8);
    abort.abort();
  }, 20_000);

  it("are taken from a run that has many wait for its readers, once another has none", async () => {
    await using warm = await warmed(1);
    const source = "export default function* () { for (;;) yield 1 }";
    const paused = [];
    for (let n = 0; n < 33; n += 1) {
      const values = await warm.start({ source, stream: true, group: "hog", memoryMb: 8 });
      expect(await values.next()).toEqual({ done: false, value: 1 });
      paused.push(values);
    }
    expect(await warm.values({ source: "export default () => 7", group: "other" })).toEqual([7]);
    // One of them is told, and none takes it for its end.
    const further = await Promise.allSettled(paused.map((values) => values.next()));
    expect(further.filter(({ status }) => status === "rejected")).toHaveLength(1);
    expect(further.filter((step) => step.status === "fulfilled" && step.value.done)).toEqual([]);
    await Promise.all(paused.map((values) => values.return?.()));
  }, 30_000);

  it("outlive their isolates: thousands of jobs of one run after another", async () => {
    await using warm = await warmed(2);
    const source = "export default ({ in: x }) => x + 1";
    for (let run = 0; run < 4; run += 1) {
      let next = 0;
      const work = async () => {
        while (next < 2_200) {
          const n = next;
          next += 1;
          expect(await warm.values({ source, inputs: { in: n }, group: `run ${run}` })).toEqual([n + 1]);
        }
      };
      await Promise.all(Array.from({ length: 8 }, work));
    }
  }, 60_000);

  it.each(["SIGKILL", "SIGTERM", "SIGINT"] as const)(
    "end with their parent, whatever they compute (%s)",
    async (signal) => {
      const { parent, pids } = await parentOf("spin");
      expect(pids).toHaveLength(2);
      parent.kill(signal);
      await once(parent, "exit");
      for (const pid of pids) await gone(pid);
    },
  );

  it("don't keep a program alive that has nothing else to do", async () => {
    const { parent, pids, output } = await parentOf("leave");
    const [code] = parent.exitCode === null ? await once(parent, "exit") : [parent.exitCode];
    expect(code).toBe(0);
    expect(output()).toContain("value 7");
    for (const pid of pids) await gone(pid);
  });

  it("are all gone once the sandbox is closed, whatever they compute", async () => {
    const warm = await warmed(2);
    const { pids } = warm.sandbox;
    const running = await warm.start({ source: SPIN, timeoutMs: 60_000 });
    const pending = running.next().catch((error: unknown) => error);
    await warm.sandbox.close();
    for (const pid of pids) await gone(pid);
    expect(await pending).toBeInstanceOf(Error);
    await expect(warm.start({ source: SPIN })).rejects.toThrow();
  });

  it("are not more than there are places, however many jobs wait", async () => {
    await using warm = await warmed(2);
    const jobs = Array.from({ length: 50 }, (_, n) =>
      warm.values({ source: "export default ({ n }) => n", inputs: { n }, group: `g${n % 5}` }),
    );
    expect(warm.sandbox.pids.length).toBeLessThanOrEqual(2);
    expect((await Promise.all(jobs)).flat()).toEqual(Array.from({ length: 50 }, (_, n) => n));
    expect(warm.sandbox.pids.length).toBeLessThanOrEqual(2);
  });
});

async function parentOf(what: string) {
  const parent: ChildProcess = spawn(process.execPath, [PARENT, what], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  const pids = await new Promise<number[]>((resolve, reject) => {
    parent.stdout?.on("data", (chunk: Buffer) => {
      said += chunk;
      const [, found] = /^pids (.*)$/m.exec(said) ?? [];
      if (found !== undefined) resolve(found.split(" ").map(Number));
    });
    parent.once("exit", (code) => reject(new Error(`It ended with ${code}: ${said}`)));
  });
  return { parent, pids, output: () => said };
}

/** Resolves when there is no such process, or rejects. A process whose parent hasn't looked is gone as well. */
async function gone(pid: number): Promise<void> {
  await until(() => {
    try {
      return / Z /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
    } catch {
      return true;
    }
  });
}

/** The process that has computed most. */
async function busiest(pids: readonly number[]): Promise<number> {
  const ticks = (pid: number) =>
    Number(readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ")[11]);
  const before = pids.map(ticks);
  const grown = () => pids.map((pid, at) => ticks(pid) - (before[at] ?? 0));
  await until(() => Math.max(...grown()) > 20);
  const all = grown();
  return pids[all.indexOf(Math.max(...all))] ?? 0;
}

async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!holds()) {
    if (performance.now() > end) throw new Error("It never came to that");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
