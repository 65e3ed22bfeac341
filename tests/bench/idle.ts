import { readFileSync } from "node:fs";
import process from "node:process";
import { Connection, postOf } from "./connection.ts";
import type { Figure } from "./report.ts";
import { MeasuredServer } from "./servers/server.ts";

const STREAMS = 10_000;
/** Streams opened first: what a process allocates once is not a stream's. */
const WARM_UP = 200;
const AT_ONCE = 100;
/** Descriptors that a process has open for other reasons. */
const SPARE = 200;
const HOUR_MS = 3_600_000;

/** Streams that this process may hold open, by what the system lets it. */
function possible(): number {
  const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
  const limit = soft === undefined ? STREAMS : Number(soft) - SPARE;
  if (limit < STREAMS)
    process.stderr.write(`only ${limit} streams: raise the limit of open files (ulimit -n)\n`);
  return Math.min(STREAMS, limit);
}

/** Bytes of a server's memory that one more open, silent stream takes. */
async function bytesAStream(module: URL, path: string, body: unknown, streams: number): Promise<number> {
  await using server = await MeasuredServer.start(module);
  using open = new DisposableStack();
  const request = postOf(server.url, path, body);
  const begin = async () => {
    const connection = open.use(await Connection.open(server.url));
    await connection.begin(request);
  };
  const hold = async (count: number) => {
    for (let held = 0; held < count; held += AT_ONCE) {
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - held) }, begin));
    }
  };
  await hold(WARM_UP);
  const before = await server.memory();
  await hold(streams - WARM_UP);
  return ((await server.memory()) - before) / (streams - WARM_UP);
}

/** Streams in which nothing happens: a node that waits for an hour. */
export async function benchIdleStreams(): Promise<Figure[]> {
  const workflow = { nodes: [{ id: "wait", type: "delay", data: { ms: HOUR_MS } }], edges: [] };
  const streams = possible();
  const ours = await bytesAStream(
    new URL("./servers/ours.ts", import.meta.url),
    "/execute",
    { workflow },
    streams,
  );
  const bare = await bytesAStream(
    new URL("./servers/control.ts", import.meta.url),
    "/idle",
    { workflow },
    streams,
  );
  return [
    {
      name: `${streams.toLocaleString("en")} idle streams`,
      unit: "kB each",
      value: ours / 1000,
      control: { name: "streamSSE that waits", value: bare / 1000 },
      target: { of: "value", most: 50 },
    },
  ];
}
