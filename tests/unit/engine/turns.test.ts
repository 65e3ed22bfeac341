import { expect, test } from "vitest";
import { benchEngine, graphOf, noopWorkflow } from "../../bench/graphs.ts";

const NODES = 100_000;
/** The engine's own slice is 5 ms. The collector of garbage comes on top. */
const MOST_MS = 40;

/** What this thread has computed: whoever else uses the machine doesn't count. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

test("a run of 100,000 nodes gives the event loop its turns from beginning to end", {
  timeout: 60_000,
}, async () => {
  const request = { workflow: noopWorkflow(graphOf("fan", NODES)) };
  const engine = benchEngine();
  const gaps: number[] = [];
  let last = cpuMs();
  let over = false;
  const turned = () => {
    const now = cpuMs();
    gaps.push(now - last);
    last = now;
    if (!over) setImmediate(turned);
  };
  setImmediate(turned);
  let updates = 0;
  for await (const batch of (await engine.prepare(request)).start().batches()) updates += batch.length;
  over = true;
  expect(updates).toBeGreaterThan(2 * NODES);
  gaps.sort((a, b) => a - b);
  const percentile = (share: number) =>
    gaps[Math.floor(share * (gaps.length - 1))] ?? Number.POSITIVE_INFINITY;
  expect(gaps.length).toBeGreaterThan(20);
  expect({ half: percentile(0.5) < 15, nearly: percentile(0.999) < MOST_MS }, `${gaps.slice(-5)}`).toEqual({
    half: true,
    nearly: true,
  });
});
