import { readFile } from "node:fs/promises";
import type { Child } from "./child.ts";
import { BOUNDED } from "./launch.ts";

/** What an engine needs beside the memory that a program may take: its limit is soft, and values are copied. In KiB. */
const MARGIN_KIB = 24 * 1_024;

/**
 * How much private memory a child may have, which the system bounds: what a warm one has, and its program's. The first is
 * found out once, from a child that runs nothing, because it depends on the version of V8 and on the machine.
 */
export class Allowance {
  readonly #create: () => Child;
  #known: Promise<void> | null = null;
  #ownKiB: number | null = null;

  /** `create` gives a child without bounds. */
  constructor(create: () => Child) {
    this.#create = create;
  }

  /** Resolves once it is known, or is known to be unbounded. */
  known(): Promise<void> {
    this.#known ??= this.#measure();
    return this.#known;
  }

  /** In KiB; 0 where there is no bound. */
  of(memoryMb: number): number {
    return this.#ownKiB === null ? 0 : this.#ownKiB + memoryMb * 1_024 + MARGIN_KIB;
  }

  async #measure(): Promise<void> {
    if (!BOUNDED) return;
    const child = this.#create();
    try {
      await child.ready;
      const status = await readFile(`/proc/${child.pid}/status`, "utf8");
      const [, data] = /^VmData:\s+(\d+) kB$/m.exec(status) ?? [];
      if (data !== undefined) this.#ownKiB = Number(data);
    } catch {
      // Children don't start here. Whoever wants one learns why.
    } finally {
      child.kill();
    }
  }
}
