import { describe, expect, it } from "vitest";
import { type Clock, createEngine, localRunner } from "../../compute/engine/index.ts";
import { builtinNodes } from "../../compute/nodes/index.ts";
import { DEFAULT_LIMITS, type Limits } from "../../protocol/index.ts";
import { VirtualClock } from "../support/clock.ts";
import { Prng } from "../support/random.ts";
import type { Execute } from "./case.ts";
import { inProcess } from "./in-process.ts";
import { runCase } from "./run.ts";
import { topics } from "./topics.ts";

const engineOn = (clock: Clock, limits: Partial<Limits> = {}) =>
  createEngine({
    runtime: "node",
    types: builtinNodes,
    runner: localRunner,
    clock,
    random: new Prng(1).bytes,
    limits: { ...DEFAULT_LIMITS, ...limits },
  });

/** Every queue holds one element, every host's clock is a new one: nothing is left over from the run before. */
const narrow = { maxQueueItems: 1, maxPendingUpdates: 1, maxConcurrency: 1 };
const fresh =
  (mode: "running" | "workers", limits?: Partial<Limits>): Execute =>
  (body) =>
    inProcess(engineOn(new VirtualClock({ seed: 1, mode }), limits))(body);

describe.each<[string, Execute]>([
  ["in process", fresh("running")],
  ["where the clock stands still but for I/O", fresh("workers")],
  ["with queues of one and no concurrency", fresh("running", narrow)],
])("conformance %s", (_, execute) => {
  for (const { topic, about, cases } of topics) {
    describe(`${topic}: ${about}`, () => {
      it.each(cases.map((one) => [one.name, one] as const))("%s", async (_name, one) => {
        expect(await runCase(one, execute)).toEqual([]);
      });
    });
  }
});
