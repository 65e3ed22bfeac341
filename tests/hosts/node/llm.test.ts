import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ExecutionUpdate, fold, type UpdateOf } from "../../../protocol/index.ts";
import { type ChatServer, chatServer } from "../../support/chat-server.ts";
import { type Calling, calling, OWN_MACHINE } from "./calling.ts";

let server: ChatServer;
let host: Calling;
beforeEach(async () => {
  server = await chatServer();
  host = calling();
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

/** A workflow that asks, with what its handles are given. */
function asking(data: object, inputs: Readonly<Record<string, unknown>> = {}, policy: object = {}): object {
  const given = Object.entries(inputs).map(([name, value]) => ({
    id: `in-${name}`,
    type: "constant",
    data: { value },
  }));
  return {
    nodes: [
      { id: "ask", type: "llm", data: { baseUrl: server.url, model: "echo", ...data }, policy },
      ...given,
    ],
    edges: Object.keys(inputs).map((name) => ({ source: `in-${name}`, target: "ask", targetHandle: name })),
  };
}

async function ask(data: object, inputs?: Readonly<Record<string, unknown>>, policy?: object) {
  const updates = await host.run({ workflow: asking(data, inputs, policy) });
  return {
    updates,
    said: fold(updates).nodes.get("ask")?.outputs?.["out"],
    error: failures(updates).at(-1)?.error,
    pieces: updates.filter((update) => update.type === "node-output").map(({ value }) => value),
  };
}

function failures(updates: readonly ExecutionUpdate[]): UpdateOf<"node-failed">[] {
  return updates.filter((update) => update.type === "node-failed");
}

describe("what is asked", () => {
  test("an address is read at once, whatever slashes there are in it", async () => {
    const before = performance.now();
    const { error } = await ask({ baseUrl: `${server.url}${"/".repeat(100_000)}x`, prompt: "?" });
    expect(error?.code).toBe("UPSTREAM_ERROR");
    expect(performance.now() - before).toBeLessThan(3_000);
  });

  test("a prompt is one message of the user, streamed back as text", async () => {
    const { said, pieces } = await ask({ prompt: "Name {{what}}!" }, { what: "a colour" });
    expect(said).toBe("Name a colour!");
    expect(pieces.length).toBeGreaterThan(1);
    const [request] = server.requests;
    expect(request?.path).toBe("/v1/chat/completions");
    expect(request?.body).toMatchObject({
      model: "echo",
      stream: true,
      messages: [{ role: "user", content: "Name a colour!" }],
    });
  });

  test("without prompt and messages it is the value on `in`: text as it is, anything else as JSON", async () => {
    expect((await ask({}, { in: "as it is" })).said).toBe("as it is");
    expect((await ask({}, { in: { a: [1] } })).said).toBe('{"a":[1]}');
  });

  test("messages are templates, and what else is in data goes into the body as servers name it", async () => {
    const messages = [
      { role: "system", content: "Be {{how}}." },
      { role: "user", content: [{ type: "text", text: "{{how}}?" }] },
      { role: "user", content: "last" },
    ];
    const options = { temperature: 0.5, maxTokens: 9, topP: 0.9, stop: ["x"], seed: 4 };
    await ask({ messages, ...options, extra: { response_format: { type: "{{how}}" } } }, { how: "terse" });
    expect(server.requests[0]?.body).toMatchObject({
      messages: [
        { role: "system", content: "Be terse." },
        { role: "user", content: [{ type: "text", text: "terse?" }] },
        { role: "user", content: "last" },
      ],
      temperature: 0.5,
      max_tokens: 9,
      top_p: 0.9,
      stop: ["x"],
      seed: 4,
      response_format: { type: "terse" },
    });
  });

  test("the key is a bearer token, and none is sent without one", async () => {
    await ask({ prompt: "x", apiKey: "{{key}}" }, { key: "sk-1" });
    await ask({ prompt: "x" });
    expect(server.requests.map(({ headers }) => headers["authorization"])).toEqual([
      "Bearer sk-1",
      undefined,
    ]);
  });

  test.each([
    ["nothing to say", {}, "/workflow/nodes/0/data/prompt", "prompt is missing"],
    [
      "both",
      { prompt: "x", messages: [{ role: "user", content: "y" }] },
      "/workflow/nodes/0/data/prompt",
      "beside",
    ],
    ["no messages", { messages: [] }, "/workflow/nodes/0/data/messages", "at least one"],
    [
      "a field of ours",
      { prompt: "x", extra: { stream: false } },
      "/workflow/nodes/0/data/extra/stream",
      "made",
    ],
    ["a broken template", { prompt: "{{x" }, "/workflow/nodes/0/data/prompt", '"}}"'],
  ])("refused before the run: %s", async (_what, data, path, said) => {
    const refused = await host.run({ workflow: asking(data) }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "INVALID_WORKFLOW" });
    expect((refused as { details: unknown }).details).toContainEqual(
      expect.objectContaining({ code: "INVALID_NODE_DATA", path, message: expect.stringContaining(said) }),
    );
  });
});

describe("what comes back", () => {
  test("usage is a line of the log", async () => {
    const { updates } = await ask({ prompt: "abc" });
    const logs = updates.filter((update) => update.type === "node-log").map(({ message }) => message);
    expect(logs).toEqual(['7 tokens in, 3 tokens out; ended with "stop"']);
  });

  test("a stream that drips byte by byte is the same text", async () => {
    expect((await ask({ model: "drip", prompt: "x" })).said).toBe("häßlich 🙂");
  });

  test.each([
    ["cut", "broke off", true],
    ["unfinished", "without a finish reason", true],
    ["garbage", "broke off", true],
    ["failing", "The model fell over", true],
    ["page", "without a finish reason", true],
    ["refused", "answered 401: Incorrect API key provided", false],
  ])("%s is UPSTREAM_ERROR", async (model, said, retryable) => {
    const { error } = await ask({ model, prompt: "x" });
    expect(error).toMatchObject({
      code: "UPSTREAM_ERROR",
      retryable,
      message: expect.stringContaining(said),
    });
  });

  test("what a failed attempt had said is withdrawn, and what follows is what the next one says", async () => {
    const { updates, said } = await ask(
      { model: "busy", prompt: "at last" },
      {},
      { retry: { maxAttempts: 2, delayMs: 1 } },
    );
    expect(failures(updates)).toMatchObject([{ willRetry: true, error: { details: { status: 429 } } }]);
    expect(said).toBe("at last");
  });

  test("a model that falls silent is NODE_TIMEOUT by idleTimeoutMs, and its connection is closed", async () => {
    const { error, pieces } = await ask({ model: "silent", prompt: "x" }, {}, { idleTimeoutMs: 100 });
    expect(pieces).toEqual(["Wait"]);
    expect(error).toMatchObject({ code: "NODE_TIMEOUT" });
    await server.left;
  });

  test("cancelling reaches the model's connection within 100 ms", async () => {
    const prepared = await host.engine.prepare({
      workflow: asking({ model: "endless", prompt: "x" }) as never,
    });
    const run = prepared.start();
    let cancelled = 0;
    for await (const update of run) {
      if (update.type !== "node-output" || cancelled > 0) continue;
      cancelled = performance.now();
      run.cancel("client");
    }
    expect((await server.left) - cancelled).toBeLessThan(100);
  });
});

describe("a secret as key", () => {
  const KEY = "sk-canary-93b1f0";

  test("goes to its origin, and is nowhere in what the run says, also if the model repeats it", async () => {
    const origin = new URL(server.url).origin;
    await using keyed = calling({
      ...OWN_MACHINE,
      NODEFLOW_SECRET_MODEL: KEY,
      NODEFLOW_SECRET_MODEL_ORIGINS: origin,
    });
    const workflow = asking({ prompt: `Repeat: ${KEY}`, apiKey: { $secret: "MODEL" } });
    const updates = await keyed.run({ workflow });
    expect(server.requests[0]?.headers["authorization"]).toBe(`Bearer ${KEY}`);
    expect(fold(updates).nodes.get("ask")?.outputs?.["out"]).toBe("Repeat: [secret MODEL]");
    expect(JSON.stringify(updates)).not.toContain(KEY);
  });

  test("goes nowhere else", async () => {
    const elsewhere = {
      NODEFLOW_SECRET_MODEL: KEY,
      NODEFLOW_SECRET_MODEL_ORIGINS: "https://api.example.org",
    };
    await using keyed = calling({ ...OWN_MACHINE, ...elsewhere });
    const templated = asking(
      { baseUrl: "{{url}}", prompt: "x", apiKey: { $secret: "MODEL" } },
      { url: server.url },
    );
    const failed = failures(await keyed.run({ workflow: templated }));
    expect(failed).toMatchObject([{ error: { code: "SECRET_NOT_FOUND" } }]);
    const literal = asking({ prompt: "x", apiKey: { $secret: "MODEL" } });
    await expect(keyed.run({ workflow: literal })).rejects.toMatchObject({ code: "INVALID_WORKFLOW" });
    expect(server.requests).toEqual([]);
  });
});
