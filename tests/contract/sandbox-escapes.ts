import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Sandbox } from "../../compute/sandbox/index.ts";
import { chainsOf } from "../support/hostile/chains.ts";
import { ESCAPES, type Escape } from "../support/hostile/escapes.ts";
import { runCase } from "./sandbox/case.ts";

const LOOKING =
  "export default () => [{}.polluted === undefined, [1, 2].map((x) => x + 1), JSON.stringify([1]), typeof Promise.resolve().then]";

/** Looking at everything takes a slow engine to its deadline. */
const TEST_MS = 30_000;

/** Programs that look for a way out find none, and leave nothing behind. */
export function escapesContract(name: string, create: () => Sandbox | Promise<Sandbox>): void {
  describe(`programs that look for a way out: ${name}`, () => {
    let sandbox: Sandbox;
    beforeAll(async () => {
      sandbox = await create();
    });
    afterAll(() => sandbox?.close());

    async function nothingGetsOut({ source, inputs = {}, stream = false }: Escape): Promise<void> {
      const result = await runCase(sandbox, { rule: "", source, inputs, stream });
      const found = result.values.flat(4).filter((value) => typeof value === "string");
      expect(found).toEqual([]);
      if (result.error) expect(result.error.message).not.toMatch(/foreign|maker| at given/);
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
      const after = await runCase(sandbox, { rule: "", source: LOOKING });
      expect(after.values).toEqual([[true, [2, 3], "[1]", "function"]]);
    }

    for (const way of ESCAPES) it(`finds nothing by ${way.name}`, () => nothingGetsOut(way), TEST_MS);
    it.each([1, 2, 3])(
      "finds nothing by chains of properties (seed %i)",
      (seed) => nothingGetsOut(chainsOf(seed)),
      TEST_MS,
    );
  });
}
