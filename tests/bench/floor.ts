/**
 * What the same work costs without an engine: the floor that ours stands on. Nothing here can fail, be cancelled,
 * be held back or be told apart from another run.
 */
import type { Graph } from "./graphs.ts";

interface Bare {
  readonly targets: number[];
  waiting: number;
}

type Update = Readonly<Record<string, unknown>>;

/** A graph as the bare scheduler reads it. */
export function bareGraph({ ids, edges }: Graph): () => readonly Bare[] {
  const places = new Map(ids.map((id, index) => [id, index]));
  const targets: number[][] = ids.map(() => []);
  const sources = ids.map(() => 0);
  for (const [source, target] of edges) {
    const place = places.get(target) ?? 0;
    targets[places.get(source) ?? 0]?.push(place);
    sources[place] = (sources[place] ?? 0) + 1;
  }
  return () => targets.map((list, index) => ({ targets: list, waiting: sources[index] ?? 0 }));
}

const noop = () => [{ value: 0 }];

/** Nodes by readiness, one promise a node, three update objects each, handed over in batches. */
export async function* bareRun(
  ids: readonly string[],
  nodes: readonly Bare[],
): AsyncGenerator<readonly Update[]> {
  let seq = 0;
  let batch: Update[] = [];
  const ready = nodes.flatMap(({ waiting }, index) => (waiting === 0 ? [index] : []));
  const report = (update: object) => {
    seq += 1;
    batch.push({ ...update, seq, timestamp: Date.now() });
  };
  for (let next = 0; next < ready.length; next += 1) {
    const place = ready[next] ?? 0;
    const nodeId = ids[place];
    report({ type: "node-started", nodeId, attempt: 1, executor: { kind: "local" } });
    for (const { value } of await noop()) {
      report({ type: "node-output", nodeId, attempt: 1, handle: "out", mode: "set", value });
    }
    report({ type: "node-completed", nodeId, attempt: 1, durationMs: 0 });
    for (const target of nodes[place]?.targets ?? []) {
      const node = nodes[target];
      if (!node) continue;
      node.waiting -= 1;
      if (node.waiting === 0) ready.push(target);
    }
    if (batch.length >= 512) {
      yield batch;
      batch = [];
    }
  }
  yield batch;
}

/** `hops` async generators behind one another. */
export async function bareRelay(count: number, hops: number): Promise<number> {
  async function* emit() {
    for (let value = 0; value < count; value += 1) yield { value };
  }
  async function* relay(source: AsyncIterable<{ value: number }>) {
    for await (const { value } of source) yield { value };
  }
  let stream: AsyncIterable<{ value: number }> = emit();
  for (let hop = 0; hop < hops; hop += 1) stream = relay(stream);
  let read = 0;
  for await (const _ of stream) read += 1;
  return read;
}
