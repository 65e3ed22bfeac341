import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ExecutionUpdate, updateToJson } from "../../../protocol/index.ts";

const common = {
  seq: fc.nat(),
  timestamp: fc.double({ noNaN: true, noDefaultInfinity: true }),
  nodeId: fc.string(),
};
const node = { ...common, attempt: fc.nat() };

/** The types that are written by hand, with and without each of their optional fields, in any order of fields. */
const update = fc.oneof(
  fc.record(
    {
      type: fc.constant("node-started"),
      ...node,
      executor: fc.record(
        { kind: fc.constantFrom("local", "pool", "peer", "server"), id: fc.string() },
        { requiredKeys: ["kind"] },
      ),
      effectful: fc.constant(true),
      item: fc.string(),
    },
    { requiredKeys: ["type", "seq", "timestamp", "nodeId", "attempt", "executor"] },
  ),
  fc.record(
    {
      type: fc.constant("node-output"),
      ...node,
      handle: fc.string({ unit: "binary" }),
      mode: fc.constantFrom("set", "append", "item"),
      value: fc.jsonValue(),
      index: fc.nat(),
    },
    { requiredKeys: ["type", "seq", "timestamp", "nodeId", "attempt", "handle", "mode", "value"] },
  ),
  fc.record(
    {
      type: fc.constant("node-completed"),
      ...node,
      durationMs: fc.double({ noNaN: true, noDefaultInfinity: true }),
      withheld: fc.constant(true),
    },
    { requiredKeys: ["type", "seq", "timestamp", "nodeId", "attempt", "durationMs"] },
  ),
);

describe("an update as text", () => {
  test("is what JSON.stringify writes", () => {
    fc.assert(
      fc.property(update, (fields) => {
        expect(JSON.parse(updateToJson(fields as ExecutionUpdate))).toEqual(
          JSON.parse(JSON.stringify(fields)),
        );
      }),
      { numRuns: 2_000 },
    );
  });
});
