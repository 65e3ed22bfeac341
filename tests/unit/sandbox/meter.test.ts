import { describe, expect, it } from "vitest";
import { FUEL, meter } from "../../../compute/sandbox/quickjs/meter.ts";
import { compile, Instance, Memory } from "../../../compute/sandbox/quickjs/web-assembly.ts";

/** A module as Emscripten writes them: a memory and a function imported, a global, functions exported, one of them in a table. */
const MODULE = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  // types: () -> (), (i32) -> i32, (i32) -> ()
  ...[1, 13, 3, 0x60, 0, 0, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 1, 0x7f, 0],
  // imports: e.f: () -> (), e.m: a memory of 4 to 8 pages
  ...[2, 15, 2, 1, 0x65, 1, 0x66, 0, 0, 1, 0x65, 1, 0x6d, 2, 1, 4, 8],
  // functions: loop, fill, through
  ...[3, 4, 3, 1, 2, 1],
  ...[4, 4, 1, 0x70, 0, 1],
  ...[6, 6, 1, 0x7f, 1, 0x41, 7, 0x0b],
  ...[7, 25, 3, 4, ...text("loop"), 0, 1, 4, ...text("fill"), 0, 2, 7, ...text("through"), 0, 3],
  ...[9, 7, 1, 0, 0x41, 0, 0x0b, 1, 1],
  ...code(
    // loop(n): counts n down to 0 and gives it
    [0, 0x03, 0x40, 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b, 0x20, 0, 0x0b],
    // fill(n): f(), then n bytes
    [0, 0x10, 0, 0x41, 0, 0x41, 1, 0x20, 0, 0xfc, 0x0b, 0, 0x0b],
    // through(n): loop(n), by the table
    [0, 0x20, 0, 0x41, 0, 0x11, 1, 0, 0x0b],
  ),
]);

function text(name: string): number[] {
  return [...new TextEncoder().encode(name)];
}

function code(...bodies: number[][]): number[] {
  const sized = bodies.flatMap((body) => [body.length, ...body]);
  return [10, sized.length + 1, bodies.length, ...sized];
}

interface Metered {
  readonly exports: Readonly<Record<"loop" | "fill" | "through", (n: number) => number>>;
  readonly fuel: { value: number };
  readonly spent: () => number;
  readonly called: () => number;
}

async function instantiate(fuel: number, more: (n: number) => number = () => 1_000): Promise<Metered> {
  const memory = new Memory({ initial: 1, maximum: 8 });
  let spent = 0;
  let called = 0;
  const imports = {
    e: {
      m: memory,
      f: () => {
        called += 1;
      },
    },
    meter: {
      spent: () => {
        spent += 1;
        left.value = more(spent);
        return 0;
      },
      wait: () => undefined,
    },
  };
  const { exports } = new Instance(await compile(meter(MODULE)), imports);
  const left = exports[FUEL] as { value: number };
  left.value = fuel;
  return {
    exports: exports as unknown as Metered["exports"],
    fuel: left,
    spent: () => spent,
    called: () => called,
  };
}

describe("a metered module", () => {
  it("pays for each call and each turn of a loop", async () => {
    const { exports, fuel, spent } = await instantiate(100);
    expect(exports.loop(10)).toBe(0);
    expect(fuel.value).toBe(100 - 1 - 10);
    expect(exports.through(10)).toBe(0);
    expect(fuel.value).toBe(89 - 1 - 11);
    expect(spent()).toBe(0);
  });

  it("pays for what one instruction moves, and calls what it called before", async () => {
    const { exports, fuel, called } = await instantiate(10_000);
    exports.fill(65_536);
    // The function itself, and 65,536 / 64.
    expect(fuel.value).toBe(10_000 - 1 - 1_024);
    expect(called()).toBe(1);
  });

  it("asks for more when there is none, as often as it takes", async () => {
    const { exports, spent } = await instantiate(0, () => 99);
    expect(exports.loop(1_000)).toBe(0);
    expect(spent()).toBe(11);
  });

  it("is stopped by a host that throws", async () => {
    const { exports } = await instantiate(50, () => {
      throw new RangeError("enough");
    });
    expect(() => exports.loop(1_000_000_000)).toThrow("enough");
  });

  it("is refused if it isn't of the kind that is understood", () => {
    const simd = MODULE.slice();
    simd[simd.lastIndexOf(0xfc)] = 0xfd;
    expect(() => meter(simd)).toThrow("No metering of instruction 0xfd");
    expect(() => meter(MODULE.subarray(0, 40))).toThrow();
  });
});
