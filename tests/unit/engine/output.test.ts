import { describe, expect, test } from "vitest";
import { Cursor, Output } from "../../../compute/engine/output.ts";
import { piecesOf, textPieces } from "../../../compute/engine/pieces.ts";
import type { PlanOutput } from "../../../compute/engine/plan.ts";
import { DEFAULT_LIMITS, type Kind } from "../../../protocol/index.ts";

const limits = { ...DEFAULT_LIMITS, maxQueueItems: 4, maxQueueBytes: 1_000 };

function outputOf(kind: Kind, kept: boolean) {
  const retention = { bytes: 0, limits };
  const plan: PlanOutput = { handle: "out", kind, kept, edges: [], liveEdges: [] };
  return { output: new Output(plan, retention), retention };
}

function cursorOf(output: Output) {
  let known = 0;
  const cursor = new Cursor(() => {
    known += 1;
  });
  cursor.restart(output);
  return { cursor, known: () => known };
}

describe("an output", () => {
  test("is full when its slowest reader is a queue behind, and has room at half of it", () => {
    const { output } = outputOf("items", false);
    const { cursor } = cursorOf(output);
    for (let item = 0; item < 4; item++) output.push(item, 8);
    expect(output.full).toBe(true);
    let room = 0;
    output.whenRoom(() => {
      room += 1;
    });
    output.take(cursor);
    expect(room).toBe(0);
    output.take(cursor);
    expect([room, output.full]).toEqual([1, false]);
  });

  test("lets one emission that is larger than the queue go alone", () => {
    const { output } = outputOf("text", false);
    const { cursor } = cursorOf(output);
    output.push("x".repeat(5_000), 5_000);
    expect(output.full).toBe(true);
    output.take(cursor);
    expect(output.full).toBe(false);
  });

  test("a reader that stops holds nobody back", () => {
    const { output } = outputOf("items", false);
    const { cursor } = cursorOf(output);
    for (let item = 0; item < 4; item++) output.push(item, 8);
    cursor.stop();
    expect(output.full).toBe(false);
  });

  test("forgets what everybody has read, unless its fold is needed", () => {
    for (const kept of [false, true]) {
      const { output, retention } = outputOf("items", kept);
      const { cursor } = cursorOf(output);
      for (let item = 0; item < 100; item++) {
        output.push(item, 8);
        expect(output.take(cursor)).toBe(item);
      }
      expect(output.complete).toBe(kept);
      expect(retention.bytes <= 2 * limits.maxQueueItems * 8).toBe(!kept);
      output.release();
      expect(retention.bytes).toBe(0);
    }
  });

  test("can be read again from the beginning while it is kept", () => {
    const { output } = outputOf("items", true);
    const { cursor } = cursorOf(output);
    output.push("a", 1);
    output.push("b", 1);
    expect([output.take(cursor), output.take(cursor)]).toEqual(["a", "b"]);
    cursor.restart(output);
    expect([output.take(cursor), output.take(cursor)]).toEqual(["a", "b"]);
  });

  test("tells once that there is something to read", () => {
    const { output } = outputOf("items", true);
    const { known } = cursorOf(output);
    expect(known()).toBe(0);
    output.push(1, 8);
    output.push(2, 8);
    output.end();
    expect(known()).toBe(1);
  });

  test("folds items that come out of order by their place", () => {
    const { output } = outputOf("items", true);
    for (const place of [2, 0, 1]) output.push(`item ${place}`, 6, place);
    expect(output.fold()).toEqual(["item 0", "item 1", "item 2"]);
  });
});

describe("pieces of text", () => {
  test("never cut a character in two", () => {
    const text = "a😀b😀😀c";
    for (let size = 1; size < 6; size++) {
      const pieces = [...textPieces(text, size)];
      expect(pieces.join("")).toBe(text);
      if (size > 1) for (const piece of pieces) expect(piece.isWellFormed()).toBe(true);
    }
  });

  test("of nothing are none, of items the items", () => {
    expect(piecesOf("", "text")).toEqual([]);
    expect(piecesOf([1, 2], "items")).toEqual([1, 2]);
  });
});
