import { describe, expect, it } from "vitest";
import { bigParameters, boundWasm } from "../../../compute/sandbox/index.ts";
import { Prng } from "../../support/random.ts";
import { EXAMPLE, engine, leb, wasmModule } from "../../support/wasm.ts";

describe("bounding WebAssembly", () => {
  const grown = (module: Uint8Array<ArrayBuffer>) => {
    const { memory } = new engine.Instance(new engine.Module(module)).exports;
    if (!(memory instanceof engine.Memory)) throw new TypeError("no memory");
    for (;;) {
      try {
        memory.grow(1);
      } catch {
        return memory.buffer.byteLength / 65_536;
      }
    }
  };

  it("gives a memory without a maximum one", () => {
    expect(grown(boundWasm(wasmModule({ memory: [1] }), 5))).toBe(5);
  });

  it("lowers a maximum that is too high, and keeps one that isn't", () => {
    expect(grown(boundWasm(wasmModule({ memory: [1, 65_536] }), 300))).toBe(300);
    expect(grown(boundWasm(wasmModule({ memory: [1, 3] }), 300))).toBe(3);
  });

  it("refuses a memory that begins above the cap", () => {
    expect(() => boundWasm(wasmModule({ memory: [400] }), 300)).toThrow(
      "needs 400 of memory, in pages of 64 KiB, and may have 300",
    );
  });

  it("refuses what is shared, or has 64 bits", () => {
    const memory = (flags: number) => boundWasm(rawSection(5, [1, flags, 1, 2]), 300);
    expect(() => memory(3)).toThrow("shared");
    expect(() => memory(5)).toThrow("64-bit");
  });

  it("caps tables", () => {
    expect(() => boundWasm(rawSection(4, [1, 0x70, 0, ...leb(200_000)]), 1)).toThrow(
      "200000 elements of a table",
    );
    const bound = boundWasm(rawSection(4, [1, 0x70, 0, 1]), 1);
    expect(engine.validate(bound)).toBe(true);
    expect(bound.slice(8)).toEqual(Uint8Array.of(4, 7, 1, 0x70, 1, 1, ...leb(100_000)));
  });

  it("names the first import", () => {
    const imports = [1, 3, ...Buffer.from("env"), 5, ...Buffer.from("print"), 0, 0];
    expect(() => boundWasm(wasmModule({ imports }), 1)).toThrow('imports "env" "print"');
  });

  it("leaves everything else as it is", () => {
    const module = wasmModule({ functions: [{ name: "f", params: [], results: [], body: [] }] });
    expect(boundWasm(module, 1)).toEqual(module);
    expect(engine.validate(boundWasm(EXAMPLE, 16))).toBe(true);
  });

  it("refuses what isn't WebAssembly, however it is cut", () => {
    for (const bytes of [
      new Uint8Array(),
      Uint8Array.of(0, 0x61, 0x73),
      Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    ]) {
      expect(() => boundWasm(bytes, 1)).toThrow("is not WebAssembly");
    }
    for (let length = 9; length < EXAMPLE.length; length += 1) {
      const cut = EXAMPLE.slice(0, length);
      try {
        expect(engine.validate(boundWasm(cut, 16))).toBe(engine.validate(cut));
      } catch (error) {
        expect((error as Error).name).toBe("WasmError");
      }
    }
  });

  it.each([1, 2, 3])("never lets through more memory than may be, whatever is changed (seed %i)", (seed) => {
    const random = new Prng(seed);
    for (let round = 0; round < 400; round += 1) {
      const bytes = EXAMPLE.slice();
      for (let change = 0; change < 3; change += 1) {
        bytes[random.int(8, bytes.length - 1)] = random.int(0, 255);
      }
      let bound: Uint8Array<ArrayBuffer>;
      try {
        bound = boundWasm(bytes, 4);
      } catch (error) {
        expect((error as Error).name).toBe("WasmError");
        continue;
      }
      if (!engine.validate(bound)) continue;
      const { exports } = new engine.Instance(new engine.Module(bound));
      const { memory } = exports;
      if (memory instanceof engine.Memory) expect(grown(bound)).toBeLessThanOrEqual(4);
    }
  });
});

describe("signatures of WebAssembly", () => {
  it("tells which parameters are 64-bit integers", () => {
    expect(bigParameters(EXAMPLE, "big")).toEqual([true, false]);
    expect(bigParameters(EXAMPLE, "add")).toEqual([false, false]);
    expect(bigParameters(EXAMPLE, "nothing")).toEqual([]);
    expect(bigParameters(EXAMPLE, "memory")).toBeNull();
    expect(bigParameters(EXAMPLE, "missing")).toBeNull();
  });

  it("takes whatever is cut", () => {
    for (let length = 0; length < EXAMPLE.length; length += 1) {
      expect(() => bigParameters(EXAMPLE.slice(0, length), "big")).not.toThrow();
    }
  });
});

function rawSection(id: number, content: readonly number[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, id, ...leb(content.length), ...content]);
}
