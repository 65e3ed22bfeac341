import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createNodeSandbox, type NodeSandbox } from "../../../compute/sandbox/node/sandbox.ts";
import { NodeflowError, type Value } from "../../../protocol/index.ts";
import { type JobOptions, jobOf, MEMORY_MB } from "../../contract/sandbox/case.ts";
import { ENDLESS, ENDS } from "../../support/hostile/endless.ts";

const DEADLINE_MS = 400;
const GRACE_MS = 100;
/** What a child may take beside what its program may. */
const MARGIN_MB = 32;
const LOOKS_MS = 2;
/** A look that comes later than that didn't wait for its timer, but for the machine. */
const LATE_MS = 10;
const CLEAN = "export default ({ in: x }) => x + 1";

describe("programs without end, on Node", () => {
  let sandbox: NodeSandbox;
  beforeAll(async () => {
    sandbox = createNodeSandbox({ children: 2 });
    await sandbox.warm();
  });
  afterAll(() => sandbox.close());

  async function values(options: JobOptions): Promise<Value[]> {
    const all: Value[] = [];
    for await (const value of await sandbox.start(jobOf(options), new AbortController().signal))
      all.push(value);
    return all;
  }

  const clean = (n: number) => values({ source: CLEAN, inputs: { in: n }, group: "clean" });

  for (const { name, source, stream = false, mayEnd } of ENDLESS) {
    it(`ends ${name} in time, within its memory, and serves others meanwhile`, async () => {
      await sandbox.warm();
      expect(await clean(0)).toEqual([1]);
      const peaks = new Peaks(sandbox.pids);
      const began = performance.now();
      const ended = values({ source, stream, timeoutMs: DEADLINE_MS, group: name }).then(
        () => null,
        (error: unknown) => error,
      );
      const meanwhile = clean(1);
      const error = await ended;
      peaks.stop();
      const took = performance.now() - began;
      expect(took - peaks.standstill).toBeLessThan(DEADLINE_MS + GRACE_MS);
      if (!mayEnd || error !== null) expect(error).toBeInstanceOf(NodeflowError);
      if (!mayEnd) expect(ENDS).toContain((error as NodeflowError).code);
      expect(peaks.grown).toBeLessThan(MEMORY_MB + MARGIN_MB);
      expect(await meanwhile).toEqual([2]);
      expect(await clean(2)).toEqual([3]);
    });
  }
});

/** By how much the processes' largest resident sets grow, in MB, and how long this process stood still meanwhile. */
class Peaks {
  readonly #pids: readonly number[];
  readonly #before: readonly number[];
  readonly #peaks: number[];
  readonly #timer: NodeJS.Timeout;
  #lookedAt = performance.now();
  /** How long this process itself didn't run, all in all: what the machine is to blame for. In ms. */
  standstill = 0;

  constructor(pids: readonly number[]) {
    this.#pids = pids;
    this.#before = pids.map(peakOf);
    this.#peaks = [...this.#before];
    this.#timer = setInterval(() => this.#look(), LOOKS_MS);
  }

  get grown(): number {
    return Math.max(...this.#peaks.map((peak, at) => peak - (this.#before[at] ?? 0)));
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#look();
  }

  #look(): void {
    const now = performance.now();
    const late = now - this.#lookedAt - LOOKS_MS;
    if (late > LATE_MS) this.standstill += late;
    this.#lookedAt = now;
    for (const [at, pid] of this.#pids.entries())
      this.#peaks[at] = Math.max(this.#peaks[at] ?? 0, peakOf(pid));
  }
}

/** 0 for a process that is gone. */
function peakOf(pid: number): number {
  try {
    const [, kiB = "0"] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kiB) / 1_024;
  } catch {
    return 0;
  }
}
