import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeJson, ExecutionResult } from "../../../protocol/index.ts";
import type { Expectation } from "../../conformance/case.ts";
import { overHttp, post, type Stream } from "../../conformance/http.ts";
import { runTopics } from "../../conformance/run.ts";
import { topics } from "../../conformance/topics.ts";
import { type Served, serve } from "./service-harness.ts";

describe("conformance over HTTP on Node", () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve();
  });
  afterAll(() => served[Symbol.asyncDispose]());

  it.each(topics.map((one) => [one.topic, one] as const))("%s", async (_, topic) => {
    expect(await runTopics([topic], overHttp(served.url, "text/event-stream"))).toEqual([]);
    expect(served.errors).toEqual([]);
  });

  it.each<Stream>(["application/x-ndjson", "application/msgpack"])("as %s", async (accept) => {
    const some = topics.filter(({ topic }) =>
      ["values", "map", "tools", "policies", "invalid"].includes(topic),
    );
    expect(await runTopics(some, overHttp(served.url, accept))).toEqual([]);
  });

  it("as one JSON object", async () => {
    const problems: string[] = [];
    for (const { topic, cases } of topics) {
      for (const { name, request, expect: expected } of cases) {
        if (!expected) continue;
        const response = await post(served.url, JSON.stringify(request), "application/json");
        const answer = ExecutionResult.parse(decodeJson(await response.text()));
        const { status, outputs, error, pending } = decodeJson(
          JSON.stringify(expected),
        ) as unknown as Expectation;
        const seen = {
          status: answer.status,
          ...(outputs && { outputs: answer.outputs }),
          ...(error && { error: answer.error?.code }),
          ...(pending && {
            pending: answer.requests?.flatMap((one) => ("nodeId" in one ? one.nodeId : [])).sort(),
          }),
        };
        const wanted = {
          status,
          ...(outputs && { outputs }),
          ...(error && { error: error.code }),
          ...(pending && { pending: pending.toSorted() }),
        };
        try {
          expect(seen).toEqual(wanted);
          expect(answer.checkpoint === undefined).toBe(status === "completed");
        } catch (difference) {
          problems.push(`${topic}: ${name}: ${String(difference)}`);
        }
      }
    }
    expect(problems).toEqual([]);
  });
});
