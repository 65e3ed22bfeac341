import { afterAll, beforeAll } from "vitest";
import { runTraces } from "../../support/trace-suite.ts";
import { startWorkerd, type Workerd } from "./workerd.ts";

let workerd: Workerd;
beforeAll(async () => {
  workerd = await startWorkerd();
});
afterAll(() => workerd?.[Symbol.asyncDispose]());

runTraces("workerd", () => workerd.url);
