import { describe, expect, test } from "vitest";
import type { Placement, Runner } from "../../compute/engine/index.ts";
import { begin, nodeType } from "../support/own-nodes.ts";

const idle = nodeType("idle", () => []);

describe("faults that attempts once had", () => {
  test("a placement that comes after the attempt's end is told to stop, and the run waits until it has", async () => {
    const place = Promise.withResolvers<Placement>();
    const asked = Promise.withResolvers<void>();
    const runner: Runner = {
      start: () => {
        asked.resolve();
        return place.promise;
      },
    };
    const execution = await begin(
      { workflow: { nodes: [{ id: "a", type: "idle" }] } },
      { types: [idle], runner },
    );
    const said: string[] = [];
    const read = (async () => {
      for await (const { type } of execution) said.push(type);
    })();
    await asked.promise;
    execution.cancel("client");
    place.resolve({
      executor: { kind: "pool" },
      emissions: {
        [Symbol.asyncIterator]: () => ({
          next: () => Promise.reject(new Error("pulled after the end")),
          return: async () => {
            await Promise.resolve();
            said.push("returned");
            return { done: true, value: undefined };
          },
        }),
      },
    });
    await read;
    expect(said).toEqual(["execution-started", "returned", "execution-cancelled"]);
  });
});
