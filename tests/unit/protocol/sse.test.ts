import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type ExecutionUpdate,
  encodeNdjsonBatch,
  encodeSse,
  encodeSseBatch,
  NDJSON_HEARTBEAT,
  NdjsonUpdates,
  SSE_HEARTBEAT,
  SseReader,
  SseUpdates,
  type Value,
} from "../../../protocol/index.ts";
import { anyValue, codeOf, cut, cuts, same } from "./value.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const update = (seq: number, value: Value): ExecutionUpdate => ({
  type: "node-output",
  seq,
  timestamp: 0,
  nodeId: "näme\u2028",
  attempt: 1,
  handle: "out",
  mode: "set",
  value,
});

/** Each update with a heartbeat before it. */
function stream(
  updates: readonly ExecutionUpdate[],
  heartbeat: Uint8Array,
  encode: typeof encodeSseBatch,
): Uint8Array {
  return new Uint8Array(Buffer.concat(updates.flatMap((each) => [heartbeat, encode([each])])));
}

describe("Server-Sent Events", () => {
  it("have seq as id, type as event, and one line of JSON as data", () => {
    expect(encodeSse(update(7, "a\nb\r"))).toBe(
      'id: 7\nevent: node-output\ndata: {"type":"node-output","seq":7,"timestamp":0,"nodeId":"näme\u2028","attempt":1,' +
        '"handle":"out","mode":"set","value":"a\\nb\\r"}\n\n',
    );
  });

  it("give the same updates however they are cut, within characters too, and whatever their line ends", () => {
    fc.assert(
      fc.property(
        fc.array(anyValue, { maxLength: 5 }),
        cuts,
        fc.constantFrom("\n", "\r", "\r\n"),
        fc.boolean(),
        (values, shares, lineEnd, mark) => {
          const updates = values.map((value, i) => update(i + 1, value));
          const text = new TextDecoder().decode(stream(updates, SSE_HEARTBEAT, encodeSseBatch));
          const bytes = bytesOf((mark ? "\ufeff" : "") + text.replaceAll("\n", lineEnd));
          const reader = new SseUpdates();
          const read = cut(bytes, shares).flatMap((piece) => reader.push(piece));
          // After a lone CR only the next byte tells that the line has ended.
          read.push(...reader.push(bytesOf(":\n")));
          same(read, updates);
        },
      ),
    );
  });

  it("give nothing for half an event", () => {
    const text = encodeSse(update(1, "x"));
    same(new SseUpdates().push(bytesOf(text.slice(0, -1))), []);
  });

  it("are read as the standard says: comments, several data lines, fields without a colon", () => {
    const text = ":c\nid: 5\nevent: x\ndata: a\ndata:b\ndata\nother: 1\n\n\ndata: last\n\n";
    same(new SseReader().push(bytesOf(text)), [{ id: "5", event: "x", data: "a\nb\n" }, { data: "last" }]);
  });

  it("are bounded: an event that doesn't end is refused", () => {
    const reader = new SseReader({ maxUpdateBytes: 1_000 });
    const line = bytesOf(`data: ${"x".repeat(90)}\n`);
    const action = () => {
      for (let i = 0; i < 50; i++) reader.push(line);
    };
    expect(codeOf(action)).toBe("PAYLOAD_TOO_LARGE");
    expect(codeOf(() => reader.push(line))).toBe("PAYLOAD_TOO_LARGE");
    expect(
      codeOf(() => new SseReader({ maxUpdateBytes: 1_000 }).push(bytesOf(`data:${"x".repeat(3_000)}`))),
    ).toBe("PAYLOAD_TOO_LARGE");
  });
});

describe("NDJSON", () => {
  it("gives the same updates however it is cut", () => {
    fc.assert(
      fc.property(fc.array(anyValue, { maxLength: 5 }), cuts, fc.boolean(), (values, shares, ended) => {
        const updates = values.map((value, i) => update(i + 1, value));
        const whole = stream(updates, NDJSON_HEARTBEAT, encodeNdjsonBatch);
        const reader = new NdjsonUpdates();
        const read = cut(ended ? whole : whole.slice(0, -1), shares).flatMap((piece) => reader.push(piece));
        same([...read, ...reader.end()], updates);
      }),
    );
  });

  it("is bounded: a line that doesn't end is refused", () => {
    const reader = new NdjsonUpdates({ maxUpdateBytes: 100 });
    expect(codeOf(() => reader.push(bytesOf(" ".repeat(101))))).toBe("PAYLOAD_TOO_LARGE");
  });
});
