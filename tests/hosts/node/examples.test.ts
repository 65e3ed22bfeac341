import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { inflateSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LocalTransport } from "../../../compute/cli/local.ts";
import { buildRequest } from "../../../compute/cli/request.ts";
import { follow, type RunOptions } from "../../../compute/client/index.ts";
import { localEngine } from "../../../compute/hosts/local.ts";
import { type LocalMachine, localMachine } from "../../../compute/hosts/node-local.ts";
import type { ExecutionUpdate, Value } from "../../../protocol/index.ts";
import { type ChatServer, chatServer } from "../../support/chat-server.ts";
import { OWN_MACHINE } from "./calling.ts";

const FOLDER = new URL("../../../examples/", import.meta.url);
const file = (name: string) => new URL(name, FOLDER).pathname;

let machine: LocalMachine;
let model: ChatServer;
beforeAll(async () => {
  machine = localMachine(OWN_MACHINE);
  model = await chatServer();
});
afterAll(async () => {
  await machine[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
});

/** The engine that the command line has. */
const engine = () => new LocalTransport(localEngine(machine));

interface Case {
  /** As on the command line. */
  readonly input?: string[] | (() => string[]);
  readonly tools?: RunOptions["tools"];
  readonly outputs: Readonly<Record<string, Value>>;
}

/** What the examples give, worked out without the engine. */
const CASES: Readonly<Record<string, Case>> = {
  "collatz.json": { outputs: { longest: longestCollatz() } },
  "hash-search.json": { outputs: { found: lucky("Node Flow", 32 * 4096) } },
  "mandelbrot-wasm.json": { outputs: { picture: expect.any(Uint8Array) } },
  "mandelbrot.json": { outputs: { picture: expect.any(Uint8Array) } },
  "proofread.json": {
    input: () => [`server=${model.url}`, "model=echo", "topic=graphs"],
    outputs: {
      draft: "Write about graphs.",
      paragraph:
        "Correct what is wrong in this paragraph, and answer with the paragraph alone:\n\nWrite about graphs.",
    },
  },
  "words.json": {
    input: ["text=One fish, two fish: red fish\nBLUE fish. It's the fish's."],
    outputs: {
      statistics: {
        words: 11,
        different: 8,
        longest: "fish's",
        most: { fish: 4, blue: 1, "fish's": 1, "it's": 1, one: 1, red: 1, the: 1, two: 1 },
      },
    },
  },
  "hello.json": {
    input: ["who=Ada"],
    outputs: { letter: ["Dear Ada,", ...[1, 2, 3, 4, 5].map((n) => `Hello, number ${n}!`)].join("\n") },
  },
  "invoice.json": {
    tools: { approve: (args) => (args as { amount: number }).amount === 1369.9 },
    outputs: { posting: { invoice: "2026-0117", amount: 1369.9, status: "to be paid", by: "a person" } },
  },
  "mortgage.json": { outputs: { plan: mortgage(240_000, 3.6, 1_500) } },
  "orders.json": { outputs: { statement: statement() } },
  "primes.json": { outputs: { primes: primes(5_000) } },
  "react-flow.json": { outputs: { verdict: "28 words in 3 sentences" } },
  "rollout.json": {
    outputs: {
      actions: [
        "Invite ada@example.com to the new checkout",
        "Offer u-2 a trial",
        "Show u-3 a banner instead (EXPRESSION_ERROR)",
        "Leave u-4 as is",
        "Leave u-5 as is",
      ],
    },
  },
  "sales.json": {
    input: [`csv=@${file("inputs/sales.csv")}`],
    outputs: {
      report: [
        "Best region: South (EUR)",
        'Revenue by region: {"North":220,"South":639,"West":545.5}',
        'Units by product: {"Kettle":13,"Lamp":6,"Desk":3}',
        "",
      ].join("\n"),
    },
  },
  "sensor.json": {
    outputs: {
      alarms: [
        { minute: 50, text: "Overheating: 37.5 °C" },
        { minute: 155, text: "Overheating: 35.25 °C" },
        { minute: 225, text: "Overheating: 36.75 °C" },
      ],
      average: 26.44,
    },
  },
};

async function run(name: string, options: RunOptions = {}, input: string[] = []) {
  const request = await buildRequest(file(name), { input });
  const following = follow(engine(), request, options);
  const updates: ExecutionUpdate[] = [];
  const { result } = following;
  for await (const update of following) updates.push(update);
  return { updates, result: await result, checkpoint: following.checkpoint(), request };
}

describe("examples", () => {
  test("each has its expected outputs here", () => {
    const found = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));
    expect(found.sort()).toEqual(Object.keys(CASES).sort());
  });

  test.each(Object.entries(CASES))(
    "%s gives what it should",
    async (name, { input = [], tools, outputs }) => {
      const given = typeof input === "function" ? input() : input;
      const { result } = await run(name, tools ? { tools } : {}, given);
      expect(result.error).toBeUndefined();
      expect(result).toMatchObject({ status: "completed", outputs });
    },
  );

  test.each(["mandelbrot.json", "mandelbrot-wasm.json"])("%s draws the set, row by row", async (name) => {
    const { updates, result } = await run(name);
    expect(pixelsOf(result.outputs["picture"] as Uint8Array)).toEqual(mandelbrot());
    const rows = updates.filter((update) => update.type === "node-output" && update.nodeId === "draw");
    expect(rows).toHaveLength(HEIGHT);
  });

  test("sensor.json raises its first alarm while readings are still coming", async () => {
    const { updates } = await run("sensor.json");
    const alarm = updates.findIndex((update) => update.type === "node-output" && update.nodeId === "alarms");
    const last = updates.findIndex(
      (update) => update.type === "node-completed" && update.nodeId === "readings",
    );
    expect(alarm).toBeGreaterThan(0);
    expect(alarm).toBeLessThan(last);
  });

  test("invoice.json waits for an answer, and goes on from the checkpoint with one", async () => {
    const first = await run("invoice.json");
    expect(first.result).toMatchObject({
      status: "suspended",
      requests: [{ nodeId: "approval", tool: "approve" }],
    });
    const { workflow } = first.request;
    const { checkpoint } = first.result;
    if (!checkpoint) return expect.unreachable();
    const answered = { workflow, checkpoint, answers: { approval: { value: false } } };
    const second = follow(engine(), answered);
    expect((await second.result).outputs).toMatchObject({ posting: { status: "rejected" } });
  });

  test("sales.json, edited and posted with its checkpoint, runs only what the edit touches", async () => {
    const first = await run("sales.json", {}, CASES["sales.json"]?.input as string[]);
    const nodes = first.request.workflow.nodes.map((node) =>
      node.id === "currency" ? { ...node, data: { value: "CHF" } } : node,
    );
    const { checkpoint, request } = first;
    if (!checkpoint) return expect.unreachable();
    const edited = { ...request, workflow: { ...request.workflow, nodes }, checkpoint };
    const again = follow(engine(), edited);
    const started: string[] = [];
    for await (const update of again) if (update.type === "node-started") started.push(update.nodeId);
    expect(started.sort()).toEqual(["currency", "report", "result"]);
  });

  test("react-flow.json is in the shape of toObject()", () => {
    const exported = JSON.parse(readFileSync(file("react-flow.json"), "utf8")) as Record<string, unknown>;
    expect(Object.keys(exported).sort()).toEqual(["edges", "nodes", "viewport"]);
  });
});

function primes(to: number) {
  const found: number[] = [];
  for (let n = 2; n <= to; n += 1) if (found.every((prime) => n % prime !== 0)) found.push(n);
  return {
    count: found.length,
    largest: Math.max(...found),
    sum: found.reduce((sum, prime) => sum + prime, 0),
  };
}

function cents(amount: number): number {
  return Math.round(amount * 100) / 100;
}

function mortgage(principal: number, rate: number, payment: number) {
  let [balance, interest, months] = [principal, 0, 0];
  const balances: { month: number; balance: number }[] = [];
  while (balance > 0) {
    const added = cents(balance * (rate / 1200));
    balance = cents(balance + added - Math.min(payment, balance + added));
    interest = cents(interest + added);
    months += 1;
    if (months % 60 === 0 || balance === 0) balances.push({ month: months, balance });
  }
  return { months, interest, balances };
}

function statement() {
  const customers = [
    { customer: "Atelier Blau", country: "DE", discount: 0.1, tax: 0.19 },
    { customer: "Casa Verde", country: "ES", discount: 0, tax: 0.1 },
    { customer: "Nord & Co", country: "SE", discount: 0.05, tax: 0 },
  ];
  const numbers = Array.from({ length: 2_000 }, (_, i) => i + 1);
  return customers.map(({ customer, country, discount, tax }, index) => {
    const orders = numbers.filter((n) => n % 3 === index);
    const gross = orders.map((n) => cents((1 + (n % 5)) * (10 + (n % 40)) * (1 + tax)));
    const due = cents(gross.reduce((sum, amount) => sum + amount, 0) * (1 - discount));
    return { customer, country, orders: orders.length, due };
  });
}

const WIDTH = 480;
const HEIGHT = 360;

/** The pixels of a PNG without filters: RGB, row by row. */
function pixelsOf(png: Uint8Array): Buffer {
  const file = Buffer.from(png);
  expect(file.subarray(1, 4).toString()).toBe("PNG");
  expect([file.readUInt32BE(16), file.readUInt32BE(20)]).toEqual([WIDTH, HEIGHT]);
  let at = 8;
  for (;;) {
    const length = file.readUInt32BE(at);
    const data = file.subarray(at + 8, at + 8 + length);
    if (file.toString("latin1", at + 4, at + 8) === "IDAT") {
      const lines = inflateSync(data);
      const line = (y: number) => lines.subarray(y * (WIDTH * 3 + 1) + 1, (y + 1) * (WIDTH * 3 + 1));
      return Buffer.concat(Array.from({ length: HEIGHT }, (_, y) => line(y)));
    }
    at += 12 + length;
  }
}

function mandelbrot(): Buffer {
  const pixels = Buffer.alloc(WIDTH * HEIGHT * 3);
  for (let pixel = 0; pixel < WIDTH * HEIGHT; pixel += 1) {
    const steps = stepsOf(
      ((pixel % WIDTH) * 3.2) / WIDTH - 2.3,
      (Math.floor(pixel / WIDTH) * 2.4) / HEIGHT - 1.2,
    );
    pixels.set([(steps * 3) & 255, (steps * 7) & 255, (steps * 13) & 255], pixel * 3);
  }
  return pixels;
}

/** After how many steps of z² + c it is seen that z leaves; 0 if it isn't within 1,000. */
function stepsOf(re: number, im: number): number {
  let [zr, zi] = [0, 0];
  for (let n = 0; n < 1_000; n += 1) {
    if (zr * zr + zi * zi > 4) return n;
    [zr, zi] = [zr * zr - zi * zi + re, 2 * zr * zi + im];
  }
  return 0;
}

function longestCollatz() {
  const length = (start: bigint) => {
    let steps = 0;
    for (let n = start; n > 1n; n = n % 2n === 0n ? n / 2n : 3n * n + 1n) steps += 1;
    return steps;
  };
  const starts = Array.from({ length: 8_000 }, (_, i) => 2n ** 60n + BigInt(i));
  const all = starts.map((start) => ({ start: String(start), steps: length(start) }));
  return all.reduce((best, one) => (one.steps > best.steps ? one : best));
}

function lucky(text: string, to: number): string[] {
  const all = Array.from({ length: to }, (_, n) => `${text}${n}`);
  return all.filter((one) => createHash("sha256").update(one).digest("hex").startsWith("0000"));
}
