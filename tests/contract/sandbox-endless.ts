import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Sandbox } from "../../compute/sandbox/index.ts";
import { NodeflowError, type Value } from "../../protocol/index.ts";
import { ENDLESS, ENDS } from "../support/hostile/endless.ts";
import { type JobOptions, jobOf } from "./sandbox/case.ts";

export interface EndlessOptions {
  readonly timeoutMs: number;
  /** What a program may take in all, in ms: where time is counted in steps, a step's worth differs. */
  readonly withinMs: number;
  /** Of a program that takes what there is. */
  readonly memoryMb: number;
}

const CLEAN = "export default ({ in: x }) => x + 1";

/** What would hang or eat a host ends, others are served meanwhile, and the next program finds everything as it was. */
export function endlessContract(
  name: string,
  create: () => Sandbox | Promise<Sandbox>,
  { timeoutMs, withinMs, memoryMb }: EndlessOptions,
): void {
  describe(`programs without end: ${name}`, () => {
    let sandbox: Sandbox;
    beforeAll(async () => {
      sandbox = await create();
    });
    afterAll(() => sandbox?.close());

    async function values(options: JobOptions): Promise<Value[]> {
      const all: Value[] = [];
      const job = jobOf({ memoryMb, ...options });
      for await (const value of await sandbox.start(job, new AbortController().signal)) all.push(value);
      return all;
    }
    const clean = (n: number) => values({ source: CLEAN, inputs: { in: n }, group: "clean" });

    for (const { name: what, source, stream = false, mayEnd } of ENDLESS) {
      it(`ends ${what}`, async () => {
        const began = performance.now();
        const ended = values({ source, stream, timeoutMs, group: what }).then(
          () => null,
          (error: unknown) => error,
        );
        const meanwhile = clean(1);
        const error = await ended;
        expect(performance.now() - began).toBeLessThan(withinMs);
        if (!mayEnd || error !== null) expect(error).toBeInstanceOf(NodeflowError);
        if (!mayEnd) expect(ENDS).toContain((error as NodeflowError).code);
        expect(await meanwhile).toEqual([2]);
        expect(await clean(2)).toEqual([3]);
      });
    }
  });
}
