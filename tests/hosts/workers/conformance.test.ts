import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { overHttp } from "../../conformance/http.ts";
import { runTopics } from "../../conformance/run.ts";
import { topics } from "../../conformance/topics.ts";
import { startWorkerd, type Workerd } from "./workerd.ts";

describe("conformance on workerd", () => {
  let workerd: Workerd;
  beforeAll(async () => {
    workerd = await startWorkerd({});
  });
  afterAll(() => workerd?.[Symbol.asyncDispose]());

  it.each(topics.map((one) => [one.topic, one] as const))("%s", async (_, topic) => {
    expect(await runTopics([topic], overHttp(workerd.url, "text/event-stream"))).toEqual([]);
  });
});
