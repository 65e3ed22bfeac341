import { describe, expect, test } from "vitest";
import { createClient, type Piece, type RunOptions } from "../../../compute/client/index.ts";
import type { ExecuteRequest, ExecutionUpdate } from "../../../protocol/index.ts";
import {
  asked,
  bytes,
  cancelled,
  completed,
  done,
  EVENT_STREAM,
  follows,
  instant,
  type Line,
  output,
  type Reply,
  RUN,
  reset,
  scripted,
  sse,
  started,
  stream,
  suspended,
  takenUp,
  workflow,
} from "./script.ts";

function client(...replies: Reply[]) {
  const service = scripted(...replies);
  return {
    service,
    client: createClient({ url: "http://service.test", fetch: service.fetch, clock: instant }),
  };
}

async function read<T>(items: AsyncIterable<T> | ReadableStream<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items as AsyncIterable<T>) all.push(item);
  return all;
}

/** A service whose run is written line by line by the test. */
function live() {
  let write: (lines: readonly Line[]) => void = () => undefined;
  let closed = false;
  let pulls = 0;
  const written: ExecutionUpdate[] = [];
  const reply: Reply = (_request, signal) => {
    const body = new ReadableStream<Uint8Array>(
      {
        start(controller) {
          let lines: Line[] = [];
          write = (more) => {
            lines = [...lines, ...more];
            const all = stream(lines);
            controller.enqueue(sse(all.slice(written.length)));
            written.splice(0, written.length, ...all);
          };
          signal.addEventListener("abort", () => {
            closed = true;
            controller.error(signal.reason);
          });
        },
        pull() {
          pulls += 1;
        },
      },
      { highWaterMark: 0 },
    );
    return new Response(body, { headers: EVENT_STREAM });
  };
  return {
    reply,
    write: (...lines: Line[]) => write(lines),
    get closed() {
      return closed;
    },
    get pulls() {
      return pulls;
    },
  };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const settle = async () => {
  for (let i = 0; i < 20; i += 1) await turn();
};

const types = (updates: readonly ExecutionUpdate[]) => updates.map((update) => update.type);

describe("readers", () => {
  test("nobody reads: the result alone drives the run, however long", async () => {
    const many = Array.from({ length: 2_000 }, (_, i) => output("m", i, "item"));
    const { client: c } = client(
      bytes(sse(stream([started("m"), ...many, completed("m"), done({ n: 2_000 })]))),
    );
    await expect(c.execute({ workflow }).result).resolves.toMatchObject({
      status: "completed",
      outputs: { n: 2_000 },
    });
  });

  test("several readers each get everything, and one that leaves mutes no other", async () => {
    const { client: c } = client(follows(RUN));
    const run = c.execute({ workflow });
    const leaves = (async () => {
      for await (const update of run) if (update.seq === 3) return update.seq;
      return 0;
    })();
    const [first, second, left] = await Promise.all([read(run), read(run.stream), leaves]);
    expect(first).toEqual(second);
    expect(first.at(-1)?.type).toBe("execution-completed");
    expect(left).toBe(3);
  });

  test("a reader that stops reading holds back the service, also where the result is awaited", async () => {
    const many = Array.from({ length: 5_000 }, (_, i) => output("m", i, "item"));
    const whole = sse(stream([started("m"), ...many, completed("m"), done({})]));
    let pulled = 0;
    const { client: c } = client((request, signal) => {
      const response = bytes(whole, "end", 1_000)(request, signal) as Response;
      const counting = new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          pulled += chunk.length;
          controller.enqueue(chunk);
        },
      });
      return new Response(response.body?.pipeThrough(counting), { headers: EVENT_STREAM });
    });
    const run = c.execute({ workflow });
    const { result } = run;
    const reader = run.stream.getReader();
    await reader.read();
    await settle();
    await settle();
    expect(pulled).toBeLessThan(whole.length / 8);
    await run.cancel();
    await expect(result).resolves.toMatchObject({ status: "cancelled" });
  });

  test("one large update is room enough for nobody's memory to grow", async () => {
    const large = "x".repeat(3 * 1024 * 1024);
    const source = live();
    const { client: c } = client(source.reply);
    const run = c.execute({ workflow });
    const reader = run[Symbol.asyncIterator]();
    await settle();
    source.write(started("t"), output("t", large, "append"));
    await reader.next();
    await settle();
    source.write(output("t", large, "append"), output("t", large, "append"), output("t", large, "append"));
    await settle();
    const before = source.pulls;
    source.write(completed("t"), done({}));
    await settle();
    expect(source.pulls).toBe(before);
    const rest = await read({ [Symbol.asyncIterator]: () => reader });
    expect(rest.at(-1)?.type).toBe("execution-completed");
  });

  test("the last reader leaving cancels the run, unless the result is wanted", async () => {
    const source = live();
    const { client: c, service } = client(source.reply);
    const run = c.execute({ workflow });
    await settle();
    source.write(started("a"));
    for await (const update of run) if (update.type === "node-started") break;
    await settle();
    expect(service.deleted).toHaveLength(1);
    expect(source.closed).toBe(true);

    const wanted = live();
    const { client: d, service: kept } = client(wanted.reply);
    const other = d.execute({ workflow });
    const { result } = other;
    await settle();
    wanted.write(started("a"));
    for await (const update of other) if (update.type === "node-started") break;
    wanted.write(completed("a"), done({}));
    await expect(result).resolves.toMatchObject({ status: "completed" });
    expect(kept.deleted).toHaveLength(0);
  });

  test("reading that begins when the beginning is gone says so", async () => {
    const many = Array.from({ length: 2_000 }, (_, i) => output("m", i, "item"));
    const { client: c } = client(bytes(sse(stream([started("m"), ...many, completed("m"), done({})]))));
    const run = c.execute({ workflow });
    await run.result;
    await expect(read(run)).rejects.toThrow(/too late/);
    expect(await read(run.node("m"))).toEqual([
      { mode: "set", value: Array.from({ length: 2_000 }, (_, i) => i) },
    ]);
  });
});

describe("the output of one node", () => {
  const apply = (pieces: readonly Piece[]) =>
    pieces.reduce<string>((text, piece) => (piece.mode === "set" ? "" : text) + String(piece.value), "");

  test("comes as it is now, then as it grows; a withdrawn output is set to empty", async () => {
    const source = live();
    const { client: c } = client(source.reply);
    const run = c.execute({ workflow });
    void run.result;
    await settle();
    source.write(started("t"), output("t", "zu ", "append"), output("t", "spät", "append"));
    await settle();
    const reader = run.node("t").getReader();
    expect(await reader.read()).toEqual({ done: false, value: { mode: "set", value: "zu spät" } });
    source.write(
      reset("t", 2),
      started("t", { attempt: 2 }),
      output("t", "grün", "append", 2),
      completed("t", 2),
    );
    expect(await reader.read()).toEqual({ done: false, value: { mode: "set", value: "" } });
    expect(await reader.read()).toEqual({ done: false, value: { mode: "append", value: "grün" } });
    expect((await reader.read()).done).toBe(true);
    source.write(done({}));
    expect(await read(run.node("t"))).toEqual([{ mode: "set", value: "grün" }]);
  });

  test("is whole for whoever reads it, also where the stream was cut", async () => {
    for (const cut of [28, 30, 34, 36, 40, 44]) {
      const { client: c } = client(bytes(sse(stream(RUN).slice(0, cut))), follows(RUN));
      const run = c.execute({ workflow });
      const [pieces] = await Promise.all([read(run.node("t")), run.result]);
      expect(apply(pieces), `cut at ${cut}`).toBe("grün 🌲");
    }
  });
});

describe("questions", () => {
  const script = (answered: (request: ExecuteRequest) => boolean): Reply => {
    return (request, signal) => {
      const before = [started("a"), output("a", 1), completed("a"), started("t")];
      const lines = answered(request)
        ? [...before, output("t", true), completed("t"), done({ ok: true })]
        : [...before, asked("t"), suspended(["t"])];
      const all = stream(takenUp(lines, request.checkpoint), request.checkpoint);
      return bytes(sse(all))(request, signal);
    };
  };
  const isAnswered = (request: ExecuteRequest) => request.answers?.["t"] !== undefined;

  async function ask(options: RunOptions) {
    const { client: c, service } = client(script(isAnswered));
    const run = c.execute({ workflow }, options);
    const [updates, result] = await Promise.all([read(run), run.result]);
    return { updates, result, service };
  }

  test("are answered by the tool of that name, in one stream", async () => {
    const { updates, result, service } = await ask({
      tools: { approve: (args, { nodeId }) => nodeId === "t" && JSON.stringify(args) === '{"amount":12}' },
    });
    expect(result).toMatchObject({ status: "completed", outputs: { ok: true } });
    expect(service.requests[1]?.answers).toEqual({ t: { request: "question of t", value: true } });
    expect(service.requests[1]?.checkpoint?.nodes).toHaveProperty("a");
    expect(types(updates).filter((type) => type.startsWith("execution-"))).toEqual([
      "execution-started",
      "execution-completed",
    ]);
  });

  test("a tool that throws answers with its error", async () => {
    const { service } = await ask({ tools: { approve: () => Promise.reject(new Error("no budget")) } });
    expect(service.requests[1]?.answers?.["t"]).toMatchObject({
      error: { code: "NODE_FAILED", message: "no budget" },
    });
  });

  test("without a tool the run ends suspended, with the questions and a checkpoint", async () => {
    const { result, service } = await ask({ tools: { other: () => true } });
    expect(result).toMatchObject({ status: "suspended", requests: [{ nodeId: "t", tool: "approve" }] });
    expect(result.checkpoint?.nodes).toHaveProperty("a");
    expect(service.requests).toHaveLength(1);
  });

  test("an answer that is refused is asked for again, a bounded number of times", async () => {
    let calls = 0;
    const refusing: Reply = (request, signal) => {
      const rejected = request.answers?.["t"] === undefined ? {} : { rejected: "not a boolean" };
      return bytes(sse(stream([started("t"), asked("t", rejected), suspended(["t"])])))(request, signal);
    };
    const { client: c } = client(refusing);
    const run = c.execute(
      { workflow },
      {
        tools: {
          approve: () => {
            calls += 1;
            return "maybe";
          },
        },
      },
    );
    await expect(run.result).resolves.toMatchObject({ status: "suspended" });
    expect(calls).toBe(6);
  });

  test("an answer survives a break before it was used", async () => {
    let calls = 0;
    const { client: c, service } = client(
      script(isAnswered),
      bytes(sse(stream([started("t")]))),
      script(isAnswered),
    );
    const result = await c.execute(
      { workflow },
      {
        tools: {
          approve: () => {
            calls += 1;
            return true;
          },
        },
      },
    ).result;
    expect(result.status).toBe("completed");
    expect(calls).toBe(1);
    expect(service.requests).toHaveLength(3);
  });
});

describe("cancelling", () => {
  test("asks the service, and the run ends with what it says", async () => {
    const source = live();
    const { client: c, service } = client(source.reply);
    const run = c.execute({ workflow });
    const { result } = run;
    await settle();
    source.write(started("a"));
    await settle();
    const cancelling = run.cancel();
    source.write(cancelled("client"));
    await cancelling;
    await expect(result).resolves.toMatchObject({ status: "cancelled" });
    expect(service.deleted[0]).toMatch(/\/executions\/execution-\d+$/);
  });

  test("closes the connection where the service doesn't end the run, with one terminal update all the same", async () => {
    const source = live();
    const { client: c } = client(source.reply);
    const aborting = new AbortController();
    const run = c.execute({ workflow }, { signal: aborting.signal });
    const updates = read(run);
    await settle();
    source.write(started("a"));
    await settle();
    aborting.abort();
    expect(types(await updates)).toEqual(["execution-started", "node-started", "execution-cancelled"]);
    expect(source.closed).toBe(true);
  });

  test("before anything was sent sends nothing", async () => {
    const { client: c, service } = client(follows(RUN));
    const run = c.execute({ workflow }, { signal: AbortSignal.abort() });
    await expect(run.result).resolves.toMatchObject({ status: "cancelled" });
    expect(service.requests).toHaveLength(0);
  });
});

describe("what the caller wants to see", () => {
  const outputsOf = async (outputs: "leaves" | "none" | string[]) => {
    const { client: c, service } = client(follows(RUN));
    const run = c.execute({ workflow, options: { outputs } });
    const updates = await read(run);
    expect(service.requests[0]?.options?.outputs).toBe("all");
    expect(updates.map((update) => update.seq)).toEqual(updates.map((_, i) => i + 1));
    return {
      shown: new Set(updates.flatMap((update) => (update.type === "node-output" ? [update.nodeId] : []))),
      withheld: new Set(
        updates.flatMap((update) =>
          update.type === "node-completed" && update.withheld ? [update.nodeId] : [],
        ),
      ),
      checkpoint: run.checkpoint(),
    };
  };

  test.each([
    ["none" as const, []],
    ["leaves" as const, ["t"]],
    [["a"], ["a"]],
    [["m"], ["m", "m/0/i", "m/0/x", "m/1/i", "m/1/x", "m/2/i", "m/2/x"]],
  ])("%j is filtered here, the checkpoint has everything", async (outputs, paths) => {
    const { shown, withheld, checkpoint } = await outputsOf(outputs);
    expect([...shown].sort()).toEqual(paths);
    expect(withheld.has("a")).toBe(!shown.has("a"));
    expect(Object.keys(checkpoint?.nodes ?? {}).sort()).toEqual(["a", "m", "r", "t"]);
  });
});
