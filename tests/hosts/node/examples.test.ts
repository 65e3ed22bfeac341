import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { LocalTransport } from "../../../compute/cli/local.ts";
import { buildRequest } from "../../../compute/cli/request.ts";
import { follow, type RunOptions } from "../../../compute/client/index.ts";
import { localEngine } from "../../../compute/hosts/local.ts";
import type { ExecutionUpdate, Value } from "../../../protocol/index.ts";

const FOLDER = new URL("../../../examples/", import.meta.url);
const file = (name: string) => new URL(name, FOLDER).pathname;

interface Case {
  /** As on the command line. */
  readonly input?: string[];
  readonly tools?: RunOptions["tools"];
  readonly outputs: Readonly<Record<string, Value>>;
}

/** What the examples give, worked out without the engine. */
const CASES: Readonly<Record<string, Case>> = {
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
  const following = follow(new LocalTransport(localEngine()), request, options);
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

  test.each(Object.entries(CASES))("%s gives what it should", async (name, { input, tools, outputs }) => {
    const { result } = await run(name, tools ? { tools } : {}, input);
    expect(result.error).toBeUndefined();
    expect(result).toMatchObject({ status: "completed", outputs });
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
    const second = follow(new LocalTransport(localEngine()), answered);
    expect((await second.result).outputs).toMatchObject({ posting: { status: "rejected" } });
  });

  test("sales.json, edited and posted with its checkpoint, runs only what the edit touches", async () => {
    const first = await run("sales.json", {}, CASES["sales.json"]?.input);
    const nodes = first.request.workflow.nodes.map((node) =>
      node.id === "currency" ? { ...node, data: { value: "CHF" } } : node,
    );
    const { checkpoint, request } = first;
    if (!checkpoint) return expect.unreachable();
    const edited = { ...request, workflow: { ...request.workflow, nodes }, checkpoint };
    const again = follow(new LocalTransport(localEngine()), edited);
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
