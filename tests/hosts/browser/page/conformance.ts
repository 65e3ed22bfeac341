import { createEngine, localRunner } from "../../../../compute/engine/index.ts";
import { webClock, webRandom } from "../../../../compute/hosts/web.ts";
import { builtinNodes } from "../../../../compute/nodes/index.ts";
import { DEFAULT_LIMITS } from "../../../../protocol/index.ts";
import { inProcess } from "../../../conformance/in-process.ts";
import { type Failure, runTopics } from "../../../conformance/run.ts";
import { topics } from "../../../conformance/topics.ts";

export interface Report {
  readonly cases: number;
  readonly failures: readonly Failure[];
}

/** What the test calls by name. */
export interface ConformancePage {
  inPage(): Promise<Report>;
  inServiceWorker(): Promise<Report>;
}

/** All fixtures on an engine of a browser: in a page, or in a worker of one. */
export async function conformance(): Promise<Report> {
  const engine = createEngine({
    runtime: "browser",
    types: builtinNodes,
    runner: localRunner,
    clock: webClock(),
    random: webRandom,
    limits: DEFAULT_LIMITS,
  });
  const cases = topics.reduce((sum, topic) => sum + topic.cases.length, 0);
  return { cases, failures: await runTopics(topics, inProcess(engine)) };
}
