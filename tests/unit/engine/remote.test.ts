import { describe, expect, test } from "vitest";
import { webClock } from "../../../compute/hosts/web.ts";
import { NodeflowError, type Value } from "../../../protocol/index.ts";
import { all, GRACE_MS, remote } from "../../support/remote-attempt.ts";

const clock = webClock();

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn += 1) await clock.turn();
};

describe("an attempt that runs elsewhere", () => {
  test("is a window ahead of its reader, and no more", async () => {
    let computed = 0;
    const { near } = remote(function* () {
      for (;;) yield { value: computed++ };
    });
    await near.next();
    await turns(20);
    const ahead = computed;
    expect(ahead).toBeGreaterThan(8);
    expect(ahead).toBeLessThan(64);
    await turns(20);
    expect(computed).toBe(ahead);
    for (let read = 0; read < 100; read += 1) expect((await near.next()).value).toEqual({ value: read + 1 });
    expect(computed).toBeLessThan(100 + 64);
    await near.return();
  });

  test("is not ahead by many bytes either", async () => {
    let computed = 0;
    const { near } = remote(function* () {
      for (;;) {
        computed += 1;
        yield { value: "x".repeat(200_000) };
      }
    });
    await near.next();
    await turns(20);
    expect(computed).toBeLessThan(5);
    await near.return();
  });

  test("ends cleanly where it stops when it is told to", async () => {
    let left = false;
    const { near, closed } = remote(async function* () {
      try {
        for (let n = 0; ; n += 1) yield { value: n };
      } finally {
        left = true;
      }
    });
    await near.next();
    await near.return();
    expect(left).toBe(true);
    expect(closed.a).toBe(true);
    expect((await near.next()).done).toBe(true);
  });

  test("is cut off where it doesn't", async () => {
    const { near, closed } = remote(async function* () {
      yield { value: 1 };
      await new Promise(() => undefined);
    });
    await near.next();
    const asked = performance.now();
    await near.return();
    expect(performance.now() - asked).toBeGreaterThanOrEqual(GRACE_MS - 2);
    expect(closed.a).toBe(false);
  });

  test("ends with what it is aborted for", async () => {
    const reason = new NodeflowError("NODE_TIMEOUT", "too long");
    const { near, abort } = remote(async function* ({ signal }) {
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      yield { value: 1 };
    });
    const ended = all(near).catch((error: unknown) => error);
    await turns(3);
    abort.abort(reason);
    expect(await ended).toBe(reason);
  });

  test("fails when the way to it breaks, once what had arrived is read", async () => {
    const { near, cut } = remote(async function* () {
      yield { value: 1 };
      yield { value: 2 };
      await new Promise(() => undefined);
    });
    await turns(5);
    cut(new NodeflowError("PEER_LOST", "gone"));
    expect((await near.next()).value).toEqual({ value: 1 });
    expect((await near.next()).value).toEqual({ value: 2 });
    await expect(near.next()).rejects.toMatchObject({ code: "PEER_LOST" });
    expect((await near.next()).done).toBe(true);
  });

  test("is cleaned up where it ran, before its last word", async () => {
    const { near, sent } = remote(
      function* () {
        yield { value: 1 };
      },
      {},
      { dispose: (context) => context.log("info", "too late to be heard") },
    );
    expect(await all(near)).toEqual([1]);
    expect(sent.map(({ type }) => type)).toEqual(["emission", "ended"]);
  });

  test("gets an error of its own code when it emits what is no value", async () => {
    const { near } = remote(() => [{ value: (() => 1) as unknown as Value }]);
    await expect(all(near)).rejects.toMatchObject({ code: "NODE_FAILED", retryable: false });
  });

  test("can't be begun with data that can't be sent", async () => {
    const { near, closed } = remote(() => [], { data: { call: () => 1 } });
    await expect(all(near)).rejects.toMatchObject({ code: "NODE_FAILED", retryable: false });
    expect(closed.a).toBe(true);
  });

  test("reads what a live input has at once, and waits for the rest", async () => {
    const values = Array.from({ length: 100 }, (_, n) => n);
    let taken = 0;
    const live = {
      kind: "items" as const,
      get ready() {
        return taken % 10 !== 0;
      },
      async *[Symbol.asyncIterator]() {
        for (const value of values) {
          taken += 1;
          yield value;
        }
      },
    };
    const { near } = remote(
      async function* (context) {
        for await (const value of context.live["in"] ?? []) yield { value };
      },
      { live: { in: live } },
    );
    expect((await near.next()).value).toEqual({ value: 0 });
    expect(taken).toBeLessThan(60);
    expect(await all(near)).toEqual(values.slice(1));
  });

  test("gives back connections that the node keeps", async () => {
    let open = 0;
    const connection = async () => {
      open += 1;
      return {
        [Symbol.dispose]: () => {
          open -= 1;
        },
      };
    };
    const { near } = remote(
      async function* (context) {
        await context.connection();
        using second = await context.connection();
        yield { value: typeof second };
      },
      { connection },
    );
    expect(await all(near)).toEqual(["object"]);
    expect(open).toBe(0);
  });

  test("tells progress as it goes, but not more often than anybody can look", async () => {
    const told: number[] = [];
    const { near, sent } = remote(
      function* (context) {
        for (let n = 1; n <= 10_000; n += 1) context.progress(n, 10_000);
        yield { value: "done" };
      },
      { progress: (completed) => void told.push(completed) },
    );
    await all(near);
    expect(told.at(-1)).toBe(10_000);
    expect(sent.filter(({ type }) => type === "progress").length).toBeLessThan(100);
  });
});
