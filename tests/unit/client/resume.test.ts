import { describe, expect, test } from "vitest";
import { createClient, RunInterrupted } from "../../../compute/client/index.ts";
import { type ExecutionState, type ExecutionUpdate, fold, isTerminal } from "../../../protocol/index.ts";
import {
  bytes,
  cancelled,
  completed,
  done,
  follows,
  instant,
  type Line,
  output,
  type Reply,
  RUN,
  refuses,
  scripted,
  sse,
  started,
  stream,
  takenUp,
  workflow,
} from "./script.ts";

const UNCUT = fold(stream(RUN));

function client(...replies: Reply[]) {
  const service = scripted(...replies);
  return {
    service,
    client: createClient({
      url: "http://service.test",
      fetch: service.fetch,
      clock: instant,
      random: () => 0.5,
    }),
  };
}

async function read(updates: AsyncIterable<ExecutionUpdate>): Promise<ExecutionUpdate[]> {
  const all: ExecutionUpdate[] = [];
  for await (const update of updates) all.push(update);
  return all;
}

/** What a fold says, without what may differ between executors. */
function essence(state: ExecutionState): unknown {
  const nodes = [...state.nodes]
    // Inside of a completed container nothing is told again by the executor that reuses it.
    .filter(([path]) => !path.includes("/"))
    .map(([path, node]) => [path, node.status, { ...node.outputs }]);
  return { status: state.status, outputs: state.outputs, nodes: nodes.sort() };
}

/** What holds for every stream that a caller sees, however it came together. */
function expectOneStream(updates: readonly ExecutionUpdate[]): void {
  expect(updates.map((update) => update.seq)).toEqual(updates.map((_, i) => i + 1));
  expect(updates.filter((update) => update.type === "execution-started")).toHaveLength(1);
  expect(updates.filter(isTerminal)).toEqual([updates.at(-1)]);
  const attempts = new Map<string, number>();
  const open = new Set<string>();
  for (const update of updates) {
    if (update.type === "node-reset") {
      for (const path of open) if (`${path}/`.startsWith(`${update.nodeId}/`)) open.delete(path);
    }
    if (update.type !== "node-started") continue;
    expect(open.has(update.nodeId), `${update.nodeId} starts without having been reset`).toBe(false);
    expect(update.attempt).toBeGreaterThan(attempts.get(update.nodeId) ?? 0);
    attempts.set(update.nodeId, update.attempt);
    open.add(update.nodeId);
  }
}

describe("a stream that breaks", () => {
  const whole = sse(stream(RUN));

  // Strides without a common divisor with anything in the stream: over the lines, every place of a line is cut.
  test.each([
    ["end", 7],
    ["break", 23],
  ] as const)(
    "cut anywhere, then %s: the caller's fold is that of an uncut run",
    async (then, stride) => {
      for (let cut = 0; cut < whole.length; cut += stride) {
        const { client: c } = client(bytes(whole.slice(0, cut), then), follows(RUN));
        const run = c.execute({ workflow });
        const updates = await read(run);
        expectOneStream(updates);
        expect(essence(fold(updates)), `cut at byte ${cut}`).toEqual(essence(UNCUT));
      }
    },
    60_000,
  );

  test("cut twice, at any two updates: the fold is right, and what had completed is given along", async () => {
    const script = stream(RUN);
    for (let first = 0; first < script.length; first += 3) {
      for (let second = 0; second < script.length; second += 3) {
        const cutAgain: Reply = (request, signal) => {
          const again = stream(takenUp(RUN, request.checkpoint), request.checkpoint);
          return bytes(sse(again.slice(0, second)))(request, signal);
        };
        const { client: c, service } = client(bytes(sse(script.slice(0, first))), cutAgain, follows(RUN));
        const updates = await read(c.execute({ workflow }));
        expectOneStream(updates);
        expect(essence(fold(updates)), `cut at ${first} and ${second}`).toEqual(essence(UNCUT));
        const [, before, after] = service.requests.map((request) =>
          Object.keys(request.checkpoint?.nodes ?? {}),
        );
        for (const path of before ?? []) {
          if (after)
            expect(
              after.some((kept) => kept === path || path.startsWith(`${kept}/`)),
              path,
            ).toBe(true);
        }
      }
    }
  }, 60_000);

  test("bytes that come one by one change nothing", async () => {
    const { client: c } = client(bytes(whole, "end", 1));
    expect(essence(fold(await read(c.execute({ workflow }))))).toEqual(essence(UNCUT));
  });

  test.each([
    ["a gap in seq", stream(RUN).filter((update) => update.seq !== 9)],
    ["shutdown", stream([...RUN.slice(0, 9), cancelled("shutdown")])],
    ["a service that takes the client for gone", stream([...RUN.slice(0, 9), cancelled("disconnect")])],
  ])("%s is resumed", async (_name, broken) => {
    const { client: c, service } = client(bytes(sse(broken)), follows(RUN));
    const updates = await read(c.execute({ workflow }));
    expectOneStream(updates);
    expect(essence(fold(updates))).toEqual(essence(UNCUT));
    expect(service.requests).toHaveLength(2);
    expect(service.requests[1]?.checkpoint?.nodes).toHaveProperty("a");
  });

  test.each([
    ["JSON that isn't", "id: 2\ndata: {oops\n\n"],
    ["an update that isn't", 'id: 2\ndata: {"type":"node-started","seq":2}\n\n'],
    [
      "a value that isn't",
      'id: 2\ndata: {"type":"node-output","seq":2,"timestamp":1,"value":{"$bytes":"%"}}\n\n',
    ],
  ])("%s is a break", async (_name, damage) => {
    const damaged = new Uint8Array([...sse(stream(RUN).slice(0, 1)), ...new TextEncoder().encode(damage)]);
    const { client: c } = client(bytes(damaged), follows(RUN));
    expect(essence(fold(await read(c.execute({ workflow }))))).toEqual(essence(UNCUT));
  });

  test("updates of later versions are ignored, and count in seq", async () => {
    const [begun, ...rest] = stream(RUN);
    const later = new TextEncoder().encode(
      'id: 2\nevent: tea\ndata: {"type":"tea","seq":2,"timestamp":1}\n\n',
    );
    const shifted = rest.map((update) => ({ ...update, seq: update.seq + 1 }));
    const all = new Uint8Array([...sse([begun as ExecutionUpdate]), ...later, ...sse(shifted)]);
    const { client: c, service } = client(bytes(all));
    const updates = await read(c.execute({ workflow }));
    expectOneStream(updates);
    expect(service.requests).toHaveLength(1);
  });

  test("what follows the terminal update is not read", async () => {
    const script = stream(RUN);
    const again = script.at(-1) as ExecutionUpdate;
    const { client: c } = client(bytes(sse([...script, { ...again, seq: again.seq + 1 }, again]), "hang"));
    expectOneStream(await read(c.execute({ workflow })));
  });

  test("updates that come twice are taken once", async () => {
    const { client: c, service } = client(bytes(sse(stream(RUN).flatMap((update) => [update, update]))));
    expectOneStream(await read(c.execute({ workflow })));
    expect(service.requests).toHaveLength(1);
  });

  test("attempts go on where they were", async () => {
    const { client: c } = client(bytes(sse(stream(RUN.slice(0, RUN.length - 3)))), follows(RUN));
    const cutInT = RUN.findIndex((line) => line.type === "node-completed" && line.nodeId === "t");
    const { client: d } = client(bytes(sse(stream(RUN.slice(0, cutInT)))), follows(RUN));
    await read(c.execute({ workflow }));
    const updates = await read(d.execute({ workflow }));
    const ofT = updates.flatMap((update) =>
      update.type === "node-started" && update.nodeId === "t" ? [update.attempt] : [],
    );
    expect(ofT).toEqual([1, 2, 3, 4]);
    const resets = updates.flatMap((update) => (update.type === "node-reset" ? [update.attempt] : []));
    expect(resets).toEqual([2, 3, 4]);
  });
});

describe("who may not be resumed", () => {
  const effectful: Line[] = [started("a"), output("a", 1), completed("a"), started("t", { effectful: true })];

  test("past an effectful node that has not completed, the result rejects with the checkpoint", async () => {
    const { client: c, service } = client(bytes(sse(stream(effectful))), follows(RUN));
    const run = c.execute({ workflow });
    const error = await run.result.then(
      () => expect.unreachable(),
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(RunInterrupted);
    expect((error as RunInterrupted).inDoubt).toEqual(["t"]);
    expect(Object.keys((error as RunInterrupted).checkpoint?.nodes ?? {})).toEqual(["a"]);
    expect(service.requests).toHaveLength(1);
    await expect(read(run)).rejects.toThrow(RunInterrupted);
  });

  test('with resume "always" it goes on', async () => {
    const { client: c, service } = client(bytes(sse(stream(effectful))), follows(RUN));
    await expect(c.execute({ workflow }, { resume: "always" }).result).resolves.toMatchObject({
      status: "completed",
    });
    expect(service.requests).toHaveLength(2);
  });

  test("an effectful node that has completed is in nobody's way", async () => {
    const { client: c } = client(bytes(sse(stream([...effectful, completed("t")]))), follows(RUN));
    await expect(c.execute({ workflow }).result).resolves.toMatchObject({ status: "completed" });
  });

  test("with resume false a break is the end, and the service filters the outputs", async () => {
    const { client: c, service } = client(bytes(sse(stream(RUN.slice(0, 5)))));
    const run = c.execute({ workflow, options: { outputs: "none" } }, { resume: false });
    await expect(run.result).rejects.toThrow(RunInterrupted);
    expect(service.requests.map((request) => request.options?.outputs)).toEqual(["none"]);
  });
});

describe("a service that is busy or gone", () => {
  test("is tried again as often as patience allows, then given up", async () => {
    const { client: c, service } = client(() => Promise.reject(new TypeError("fetch failed")));
    await expect(c.execute({ workflow }).result).rejects.toThrow(/gave up after 6 tries/);
    expect(service.requests).toHaveLength(6);
  });

  test.each([
    [503, "DRAINING"],
    [503, "CAPACITY_EXCEEDED"],
    [429, "RATE_LIMITED"],
  ])("%d %s is waited for", async (status, code) => {
    const { client: c } = client(refuses(status, code, { "retry-after": "2" }), follows(RUN));
    const waits: number[] = [];
    const run = c.execute({ workflow }, { onInterruption: ({ waitMs }) => waits.push(waitMs) });
    await expect(run.result).resolves.toMatchObject({ status: "completed" });
    expect(waits).toEqual([2_000 + 250 * 0.75]);
  });

  test("that asks for more time than there is patience is not waited for", async () => {
    const { client: c } = client(refuses(503, "DRAINING", { "retry-after": "3600" }));
    await expect(c.execute({ workflow }).result).rejects.toThrow(/DRAINING/);
  });

  test.each([
    [400, "INVALID_REQUEST"],
    [401, "UNAUTHENTICATED"],
    [422, "INVALID_WORKFLOW"],
    [500, "INTERNAL"],
  ])("that refuses with %d %s is not asked again", async (status, code) => {
    const { client: c, service } = client(refuses(status, code));
    await expect(c.execute({ workflow }).result).rejects.toMatchObject({ code });
    expect(service.requests).toHaveLength(1);
  });

  test("is left for the next one, where several are named", async () => {
    const asked: string[] = [];
    const good = scripted(follows(RUN));
    const c = createClient({
      url: ["http://one.test/", "http://two.test"],
      clock: instant,
      fetch(url, init) {
        asked.push(url);
        return url.startsWith("http://one.test")
          ? Promise.reject(new TypeError("gone"))
          : good.fetch(url, init);
      },
    });
    await expect(c.execute({ workflow }).result).resolves.toMatchObject({ status: "completed" });
    expect(asked).toEqual(["http://one.test/execute", "http://two.test/execute"]);
  });

  test("gives up although each try gets a little further, if no node completes", async () => {
    const { client: c, service } = client(bytes(sse(stream([started("a"), output("a", 1)]))));
    await expect(c.execute({ workflow }).result).rejects.toThrow(/gave up/);
    expect(service.requests).toHaveLength(6);
  });

  test("what isn't a stream of updates is no Node Flow service", async () => {
    const { client: c } = client(
      () => new Response("<h1>It works</h1>", { headers: { "content-type": "text/html" } }),
    );
    await expect(c.execute({ workflow }).result).rejects.toThrow(/not a Node Flow service/);
  });

  test("the token goes along", async () => {
    const service = scripted(follows([done({})]));
    const c = createClient({
      url: "http://service.test",
      token: "secret",
      fetch: service.fetch,
      clock: instant,
    });
    await c.execute({ workflow }).result;
    expect(service.headers[0]?.get("authorization")).toBe("Bearer secret");
  });
});
