import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Sandbox } from "../../compute/sandbox/index.ts";
import type { Value } from "../../protocol/index.ts";
import { type JobOptions, jobOf, runCase, type SandboxCase, type SandboxResult } from "./sandbox/case.ts";
import { SANDBOX_CASES } from "./sandbox/cases.ts";

/** The program can write down what it has done: lines are the only thing that leaves it before it is asked for a value. */
const DRIVEN = `export default function* () {
  try { for (let i = 0; ; i += 1) { console.log(String(i)); yield i } } finally { console.log("never read") }
}`;

/** What every `Sandbox` must do, wherever it runs programs. `create` gives one with room for at least two jobs at once. */
export function sandboxContract(name: string, create: () => Sandbox | Promise<Sandbox>): void {
  describe(`Sandbox: ${name}`, () => {
    let sandbox: Sandbox;
    beforeAll(async () => {
      sandbox = await create();
    });
    afterAll(() => sandbox.close());

    const start = (options: JobOptions, signal = new AbortController().signal) =>
      sandbox.start(jobOf(options), signal);
    const values = async (options: JobOptions) => {
      const all: Value[] = [];
      for await (const value of await start(options)) all.push(value);
      return all;
    };

    for (const [topic, cases] of Object.entries(SANDBOX_CASES)) {
      describe(topic, () => {
        for (const given of cases) {
          it(given.rule, async () => expectResult(await runCase(sandbox, given), given));
        }
      });
    }

    describe("reading", () => {
      it("doesn't drive a generator ahead of its reader", async () => {
        const lines: string[] = [];
        const read = await start({
          source: DRIVEN,
          stream: true,
          log: (_level, message) => void lines.push(message),
        });
        for (const n of [0, 1, 2]) {
          expect(await read.next()).toEqual({ done: false, value: n });
          expect(lines).toEqual(Array.from({ length: n + 1 }, (_, line) => String(line)));
        }
        await read.return?.();
        expect(lines).toHaveLength(3);
      });

      it("doesn't count the time that nobody reads", async () => {
        const source = "export default function* () { for (let i = 0; i < 8; i += 1) yield i }";
        const read = await start({ source, stream: true, timeoutMs: 150 });
        const all: Value[] = [];
        for await (const value of read) {
          all.push(value);
          await new Promise((resolve) => setTimeout(resolve, 40));
        }
        expect(all).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      });

      it("ends a job whose reader leaves", async () => {
        const read = await start({ source: DRIVEN, stream: true });
        for await (const value of read) if (value === 2) break;
        expect(await read.next()).toEqual({ done: true, value: undefined });
        expect(await values({ source: "export default () => 1" })).toEqual([1]);
      });

      it("ends an endless computation at once when its reader leaves", async () => {
        const read = await start({ source: "export default () => { for (;;); }", timeoutMs: 60_000 });
        const pending = read.next().catch((error: unknown) => error);
        const began = performance.now();
        await read.return?.();
        await pending;
        expect(performance.now() - began).toBeLessThan(2_000);
        expect(await values({ source: "export default () => 1" })).toEqual([1]);
      });

      it("takes that its reader leaves before reading anything, and twice", async () => {
        const read = await start({ source: "export default () => 1" });
        await read.return?.();
        await read.return?.();
        expect((await read.next()).done).toBe(true);
      });

      it("gives nothing more after the end or a failure", async () => {
        const read = await start({ source: "export default () => 1" });
        expect(await read.next()).toEqual({ done: false, value: 1 });
        expect((await read.next()).done).toBe(true);
        expect((await read.next()).done).toBe(true);
        const failing = await start({ source: "export default () => { throw 1 }" });
        await expect(failing.next()).rejects.toMatchObject({ code: "NODE_FAILED" });
        expect((await failing.next()).done).toBe(true);
      });
    });

    describe("starting", () => {
      it("refuses a job whose signal is aborted already", async () => {
        const reason = new Error("too late");
        await expect(start({ source: "export default () => 1" }, AbortSignal.abort(reason))).rejects.toBe(
          reason,
        );
      });

      it("gives up its search for a place when it is aborted", async () => {
        const source = "export default () => { for (;;); }";
        const running = await Promise.all(
          ["a", "b"].map((group) => start({ source, group, timeoutMs: 60_000 })),
        );
        const pending = running.map((read) => read.next().catch((error: unknown) => error));
        const waiting: Promise<unknown>[] = [];
        const abort = new AbortController();
        for (let n = 0; n < 20; n += 1) {
          const started = start({ source: "export default () => 1", group: `w${n}` }, abort.signal);
          waiting.push(
            started.then(
              (read) => read.return?.(),
              (error: unknown) => error,
            ),
          );
        }
        const reason = new Error("given up");
        abort.abort(reason);
        await Promise.all(waiting);
        await Promise.all(running.map((read) => read.return?.()));
        await Promise.all(pending);
        expect(await values({ source: "export default () => 1" })).toEqual([1]);
      });

      it("runs jobs beside each other", async () => {
        const source =
          "export default ({ n }) => { let x = 0; for (let i = 0; i < 1e4; i += 1) x += n; return x / 1e4 }";
        const numbers = Array.from({ length: 20 }, (_, n) => n);
        const results = await Promise.all(numbers.map((n) => values({ source, inputs: { n } })));
        expect(results).toEqual(numbers.map((n) => [n]));
      });

      it("copies inputs when it starts", async () => {
        const bytes = Uint8Array.of(1);
        const read = await start({
          source: "export default ({ b }) => { b[0] += 1; return b }",
          inputs: { b: bytes },
        });
        expect((await read.next()).value).toEqual(Uint8Array.of(2));
        expect(bytes).toEqual(Uint8Array.of(1));
        await read.return?.();
      });
    });

    describe("keeping apart", () => {
      const changing = `
        globalThis.left = 1;
        Object.prototype.left = 2;
        Array.prototype.map = () => "mine";
        Promise.prototype.then = undefined;
        JSON.stringify = () => '"forged"';
        Math.random = () => 0;
        console.log = null;
        delete globalThis.Date;
        Symbol.for("left").description;
        export default async () => 1`;
      const looking =
        "export default () => [typeof left, [1].map((x) => x + 1), JSON.stringify([1]), Math.random() > 0, typeof console.log, typeof Date, {}.left === undefined]";
      const clean: Value = ["undefined", [2], "[1]", true, "function", "function", true];

      for (const group of ["the same group", "another group"]) {
        it(`shows a program nothing of what another of ${group} changed`, async () => {
          await values({ source: changing, group: "the same group" }).catch(() => undefined);
          for (let n = 0; n < 3; n += 1) expect(await values({ source: looking, group })).toEqual([clean]);
        });
      }

      it("starts equal programs equally: nothing is left of their first call", async () => {
        const source = "let calls = 0; export default () => { calls += 1; return [calls, Math.random()] }";
        const [first] = await values({ source });
        expect(await values({ source })).toEqual([first]);
      });

      it("goes on after a failure of each kind", async () => {
        const sources = [
          "export default () => { throw new Error('x') }",
          "export default () => eval('1')",
          "export default () => { const f = () => f(); f() }",
          "export default () => { for (;;); }",
          "export default () => () => 1",
        ];
        for (const source of sources) {
          await expect(values({ source, timeoutMs: 200 })).rejects.toThrow();
          expect(await values({ source: "export default () => 1" })).toEqual([1]);
        }
      });
    });

    describe("logging", () => {
      it("gives at most 1,000 lines of 4,096 characters, and says that there were more", async () => {
        const lines: [string, string][] = [];
        const source =
          "export default () => { console.log('x'.repeat(1e5)); for (let i = 0; i < 5000; i += 1) console.log(i) }";
        await start({ source, log: (level, message) => void lines.push([level, message]) }).then((read) =>
          read.next(),
        );
        expect(lines).toHaveLength(1_000);
        expect(lines[0]?.[1]).toHaveLength(4_096);
        expect(lines[999]).toEqual(["warn", "Further lines are dropped"]);
      });
    });
  });
}

function expectResult(result: SandboxResult, { gives = [], fails, logs }: SandboxCase): void {
  if (fails) {
    expect(result.error).toBeDefined();
    expect([fails.code].flat()).toContain(result.error?.code);
    if (fails.message !== undefined) expect(result.error?.message).toBe(fails.message);
    if (fails.says !== undefined) expect(result.error?.message).toContain(fails.says);
    if (fails.retryable !== undefined) expect(result.error?.retryable).toBe(fails.retryable);
  } else {
    expect(result.error).toBeUndefined();
  }
  expect(result.values).toEqual(gives);
  if (logs) expect(result.logs).toEqual(logs);
}
