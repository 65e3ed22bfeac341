import { Connection, postOf } from "./connection.ts";
import { graphOf, noopWorkflow } from "./graphs.ts";
import { inTurns } from "./measure.ts";
import type { Figure } from "./report.ts";
import { type Event, MeasuredServer } from "./servers/server.ts";

const OURS = new URL("./servers/ours.ts", import.meta.url);
const CONTROL = new URL("./servers/control.ts", import.meta.url);

/** Answers being read at once, and for how long, in one sample of throughput. */
const CONNECTIONS = 4;
const SAMPLE_MS = 1_000;
/** Requests in one sample of latency: with fewer, the first rounds wouldn't see either server's code compiled. */
const REQUESTS = 500;

const requestOf = (nodes: number) => ({ workflow: noopWorkflow(graphOf("chain", nodes)) });

/** The events of one answer. */
async function eventsOf(server: MeasuredServer, nodes: number): Promise<Event[]> {
  const response = await fetch(new URL("/execute", server.url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(requestOf(nodes)),
  });
  const text = await response.text();
  return text
    .split("\n\n")
    .map((block) => Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s, 2))))
    .filter(({ data }) => data !== undefined)
    .map(({ id, event, data }) => ({ id, event, data }));
}

/** Answers per second that a server can give to a few connections that always ask for the next. */
async function answersPerSecond(url: URL, request: Buffer): Promise<number> {
  using stack = new DisposableStack();
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => Connection.open(url)));
  for (const connection of connections) stack.use(connection);
  const start = performance.now();
  let answers = 0;
  const ask = async (connection: Connection) => {
    while (performance.now() - start < SAMPLE_MS) {
      await connection.exchange(request);
      answers += 1;
    }
  };
  await Promise.all(connections.map(ask));
  return answers / ((performance.now() - start) / 1000);
}

/** `POST /execute` of 100 no-op nodes against `streamSSE` writing the same bytes. */
export async function benchStreaming(): Promise<Figure[]> {
  await using ours = await MeasuredServer.start(OURS);
  await using control = await MeasuredServer.start(CONTROL);
  const events = await eventsOf(ours, 100);
  await control.replay(events);
  const execute = postOf(ours.url, "/execute", requestOf(100));
  const replay = postOf(control.url, "/replay", requestOf(100));
  const medians = await inTurns(
    {
      ours: async () => (await answersPerSecond(ours.url, execute)) * events.length,
      control: async () => (await answersPerSecond(control.url, replay)) * events.length,
    },
    9,
  );
  return [
    {
      name: "POST /execute, 100 no-op nodes",
      unit: "updates/s",
      value: medians.ours,
      control: { name: "streamSSE writing the same events", value: medians.control },
      target: { of: "ratio", least: 2 },
    },
  ];
}

/** Median µs until the first event, one request after another on a connection. */
async function firstEvent(url: URL, request: Buffer): Promise<number> {
  using connection = await Connection.open(url);
  const times: number[] = [];
  for (let asked = 0; asked < REQUESTS; asked += 1)
    times.push((await connection.exchange(request)).firstEvent);
  return times.toSorted((a, b) => a - b)[REQUESTS >> 1] ?? Number.NaN;
}

/** Time from a request to its first update. */
export async function benchFirstUpdate(): Promise<Figure[]> {
  await using ours = await MeasuredServer.start(OURS);
  await using control = await MeasuredServer.start(CONTROL);
  const at = (server: MeasuredServer, path: string, nodes: number) => {
    const request = postOf(server.url, path, requestOf(nodes));
    return () => firstEvent(server.url, request);
  };
  const medians = await inTurns(
    {
      three: at(ours, "/execute", 3),
      empty: at(control, "/empty", 3),
      hundred: at(ours, "/execute", 100),
      parsed: at(control, "/parsed", 100),
      validated: at(control, "/validated", 100),
    },
    11,
  );
  const target = { of: "ratio", most: 1.3 } as const;
  const unit = "µs";
  return [
    {
      name: "first update, 3 nodes",
      unit,
      value: medians.three,
      control: { name: "streamSSE, one empty event", value: medians.empty },
      target,
    },
    {
      name: "first update, 100 nodes",
      unit,
      value: medians.hundred,
      control: { name: "parsing, all checks of a run, one event", value: medians.validated },
      target,
    },
    {
      name: "first update, 100 nodes",
      unit,
      value: medians.hundred,
      control: { name: "parsing, checking the shape only, one event", value: medians.parsed },
    },
  ];
}
