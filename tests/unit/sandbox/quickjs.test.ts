import { afterAll, describe, expect, it } from "vitest";
import type { Values } from "../../../compute/sandbox/index.ts";
import { createQuickjsSandbox } from "../../../compute/sandbox/quickjs/quickjs.ts";
import type { Value } from "../../../protocol/index.ts";
import { type JobOptions, jobOf } from "../../contract/sandbox/case.ts";
import { quickjsModule } from "../../support/quickjs.ts";

describe("QuickJS in this thread", async () => {
  let turns = 0;
  const sandbox = createQuickjsSandbox({
    module: await quickjsModule(),
    places: 1,
    maxMemoryMb: 48,
    turn: () => {
      turns += 1;
      return new Promise((resolve) => setImmediate(resolve));
    },
  });
  afterAll(() => sandbox.close());

  const start = (options: JobOptions, signal = new AbortController().signal): Promise<Values> =>
    sandbox.start(jobOf(options), signal);
  async function first(options: JobOptions): Promise<Value | undefined> {
    for await (const value of await start(options)) return value;
    return undefined;
  }
  const allocate = (mb: number) =>
    `export default () => new Uint8Array(${mb} * 2 ** 20).fill(1).length / 2 ** 20`;

  it("gives a program the memory that it asked for, and no more", async () => {
    expect(await first({ source: allocate(20), memoryMb: 24 })).toBe(20);
    await expect(first({ source: allocate(30), memoryMb: 24 })).rejects.toMatchObject({
      code: "RESOURCE_EXHAUSTED",
    });
    expect(await first({ source: allocate(30), memoryMb: 40 })).toBe(30);
  });

  it("gives no program more than this host has", async () => {
    await expect(first({ source: allocate(60), memoryMb: 512 })).rejects.toMatchObject({
      code: "RESOURCE_EXHAUSTED",
    });
  });

  it("keeps a long stream within its memory", async () => {
    const source =
      "export default function* () { for (let i = 0; i < 300; i += 1) yield ['x'.repeat(1e5), new Uint8Array(1e5)] }";
    let count = 0;
    for await (const _ of await start({ source, stream: true, memoryMb: 8 })) count += 1;
    expect(count).toBe(300);
  });

  it("gives the thread a turn while a program computes", async () => {
    const before = turns;
    const source = "export default () => { let x = 0; for (let i = 0; i < 1e6; i += 1) x += i; return x }";
    expect(await first({ source })).toBe(499_999_500_000);
    expect(turns - before).toBeGreaterThan(3);
  });

  it("counts steps where it is given no clock: as many each time, so that it ends at the same place", async () => {
    const ends = async () => {
      const lines: string[] = [];
      const source =
        "export default () => { for (let i = 0; ; i += 1) if (i % 1000 === 0) console.log(String(i)) }";
      const log = (_level: string, message: string) => void lines.push(message);
      await expect(first({ source, timeoutMs: 10, log })).rejects.toMatchObject({ code: "NODE_TIMEOUT" });
      return lines;
    };
    const lines = await ends();
    expect(lines.length).toBeGreaterThan(1);
    expect(await ends()).toEqual(lines);
  });

  it("keeps a program waiting until there is a place", async () => {
    const begun = await start({ source: "export default function* () { yield 1; yield 2 }", stream: true });
    await begun.next();
    let started = false;
    const second = start({ source: "export default () => 3" }).then((values) => {
      started = true;
      return values.next();
    });
    expect((await begun.next()).value).toBe(2);
    expect(started).toBe(false);
    await begun.return?.();
    expect((await second).value).toBe(3);
  });

  it("takes one who no longer waits out of the line", async () => {
    const begun = await start({ source: "export default function* () { yield 1 }", stream: true });
    const abort = new AbortController();
    const second = start({ source: "export default () => 2" }, abort.signal);
    const third = start({ source: "export default () => 3" });
    const reason = new Error("given up");
    abort.abort(reason);
    await expect(second).rejects.toBe(reason);
    await begun.return?.();
    expect((await (await third).next()).value).toBe(3);
  });
});
