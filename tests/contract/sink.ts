import { expect, it } from "vitest";
import type { Sink } from "../../compute/service/index.ts";

/** A sink and the reader at its other end. */
export interface Opened {
  readonly sink: Sink;
  /** The next bytes; null at the end. Rejects where the answer was broken off. */
  read(): Promise<Uint8Array | null>;
  /** The reader goes. */
  leave(): void;
}

const utf8 = new TextEncoder();
const PIECE = new Uint8Array(64 * 1024);
/** More than any sink and socket may hold. */
const MOST_PIECES = 1_000;

/** What a pump may expect of every sink. */
export function sinkContract(open: () => Promise<Opened>): void {
  it("hands on what is written while there is room, in order, to the end", async () => {
    const { sink, read } = await open();
    const text = (async () => {
      let all = "";
      for (let piece = await read(); piece; piece = await read()) all += new TextDecoder().decode(piece);
      return all;
    })();
    for (const word of ["one ", "two "]) {
      await sink.room();
      sink.write(utf8.encode(word));
    }
    await sink.room();
    sink.end(utf8.encode("three"));
    expect(await text).toBe("one two three");
  });

  it("has no room while its reader takes nothing, and has again once it does", async () => {
    const { sink, read, leave } = await open();
    const first = read();
    await sink.room();
    let pieces = 0;
    let room = sink.room();
    for (; room === null && pieces < MOST_PIECES; pieces++) {
      sink.write(PIECE);
      room = sink.room();
    }
    expect(pieces).toBeGreaterThan(0);
    expect(pieces).toBeLessThan(MOST_PIECES);
    let again = false;
    const waiting = room?.then(() => {
      again = true;
    });
    await first;
    while (!again) await Promise.race([waiting, read()]);
    expect(sink.room()).toBeNull();
    leave();
  });

  it("tells once that its reader has gone", async () => {
    const { sink, read, leave } = await open();
    let gone = 0;
    const told = new Promise<void>((resolve) => {
      sink.whenGone(() => {
        gone += 1;
        resolve();
      });
    });
    const first = read();
    await sink.room();
    sink.write(utf8.encode("begun"));
    await first;
    leave();
    await told;
    expect(gone).toBe(1);
  });

  it("broken off, isn't taken for whole", async () => {
    const { sink, read } = await open();
    const first = read();
    await sink.room();
    sink.write(utf8.encode("half of it"));
    await first;
    sink.abort(new Error("Broken off"));
    await expect(read()).rejects.toThrow();
  });
}
