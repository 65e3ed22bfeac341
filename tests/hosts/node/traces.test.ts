import { afterAll, beforeAll } from "vitest";
import { runTraces } from "../../support/trace-suite.ts";
import { type Served, serve } from "./service-harness.ts";

let served: Served;
beforeAll(async () => {
  served = await serve();
});
afterAll(() => served[Symbol.asyncDispose]());

runTraces("Node", () => served.url);
