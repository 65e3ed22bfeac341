import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { webClock } from "../../compute/hosts/web.ts";
import { NodeflowError, type Value } from "../../protocol/index.ts";
import { all, remote } from "../support/remote-attempt.ts";

const clock = webClock();

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

describe("faults that attempts elsewhere once had", () => {
  test("what has been read is let go of, also by a reader that never catches up", async () => {
    const { near, sent } = remote(function* () {
      for (let n = 0; ; n += 1) yield { value: { n } };
    });
    const first: WeakRef<object>[] = [];
    for (let read = 0; read < 200; read += 1) {
      // The far end stays ahead.
      for (let turn = 0; turn < 3; turn += 1) await clock.turn();
      const { value } = await near.next();
      if (read < 100) first.push(new WeakRef(value?.value as object));
    }
    sent.length = 0;
    await clock.turn();
    collect();
    expect(first.filter((value) => value.deref() !== undefined).length).toBeLessThan(10);
    await near.return();
  });

  test("sleeping often leaves nothing behind", async () => {
    let listeners = 0;
    const { near } = remote(async function* (context) {
      const { signal } = context;
      const { addEventListener } = signal;
      signal.addEventListener = (...args: unknown[]) => {
        listeners += 1;
        Reflect.apply(addEventListener, signal, args);
      };
      for (let n = 0; n < 20; n += 1) await context.sleep(0);
      yield { value: listeners };
    });
    expect(await all(near)).toEqual([0]);
  });

  test("a sleeper is woken by the end", async () => {
    const reasons: unknown[] = [];
    const { near, closed } = remote(async function* (context) {
      yield { value: 1 };
      await context.sleep(60_000).catch((reason: unknown) => reasons.push(reason));
    });
    await near.next();
    await near.return();
    expect(reasons).toMatchObject([{ code: "NODE_FAILED" }]);
    expect(closed.a).toBe(true);
  });

  test("a wait for somebody else ends with the attempt, which is then cleaned up", async () => {
    let disposed = false;
    const { near, closed } = remote(
      async function* (context) {
        yield { value: 1 };
        await context.waitFor(new Promise(() => undefined));
      },
      { waitFor: (promise) => promise },
      {
        dispose: () => {
          disposed = true;
        },
      },
    );
    await near.next();
    for (let turn = 0; turn < 5; turn += 1) await clock.turn();
    await near.return();
    expect(disposed).toBe(true);
    expect(closed.a).toBe(true);
  });

  test("a node whose emission can't be sent is left where it stands", async () => {
    let left = false;
    const { near } = remote(function* () {
      try {
        yield { value: (() => 1) as unknown as Value };
      } finally {
        left = true;
      }
    });
    await expect(all(near)).rejects.toMatchObject({ code: "NODE_FAILED" });
    expect(left).toBe(true);
  });

  test("an error whose details can't be sent arrives without them", async () => {
    const { near } = remote(() => {
      throw new NodeflowError("INVALID_INPUT", "no", { details: { why: () => 1 } });
    });
    const failed = all(near).catch((error: unknown) => error);
    expect(await Promise.race([failed, clock.turn().then(clock.turn).then(clock.turn)])).toMatchObject({
      code: "INVALID_INPUT",
      message: "no",
    });
  });
});
