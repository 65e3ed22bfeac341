/** WebAssembly modules, put together by hand: sections by their numbers, as in the core specification, 5.5. */
export interface WasmParts {
  /** Types, functions and bodies: one of each kind per function. */
  readonly functions?: readonly WasmFunction[];
  /** Limits of the memory: minimum, maximum. Exported as `memory`. */
  readonly memory?: readonly [minimum: number, maximum?: number];
  /** The raw import section. */
  readonly imports?: readonly number[];
  /** The raw table section. */
  readonly tables?: readonly number[];
}

export interface WasmFunction {
  readonly name: string;
  readonly params: readonly number[];
  readonly results: readonly number[];
  /** Instructions, without the final `end`. */
  readonly body: readonly number[];
  /** Number of i32 locals. */
  readonly locals?: number;
}

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F64 = 0x7c;

export function leb(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) + 0x80);
  return [...bytes, left];
}

const text = (value: string) => {
  const bytes = [...new TextEncoder().encode(value)];
  return [...leb(bytes.length), ...bytes];
};
const vector = (entries: readonly (readonly number[])[]) => [...leb(entries.length), ...entries.flat()];
const section = (id: number, content: readonly number[] | undefined) =>
  content === undefined ? [] : [id, ...leb(content.length), ...content];

export function wasmModule({ functions = [], memory, imports, tables }: WasmParts): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ params, results }) => [
    0x60,
    ...vector(params.map((p) => [p])),
    ...vector(results.map((r) => [r])),
  ]);
  const exports = functions.map(({ name }, index) => [...text(name), 0x00, ...leb(index)]);
  const bodies = functions.map(({ body, locals = 0 }) => {
    const code = [...(locals > 0 ? vector([[...leb(locals), I32]]) : [0]), ...body, 0x0b];
    return [...leb(code.length), ...code];
  });
  const limits =
    memory && (memory[1] === undefined ? [0, ...leb(memory[0])] : [1, ...leb(memory[0]), ...leb(memory[1])]);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, vector(types)),
    ...section(2, imports),
    ...section(3, vector(functions.map((_, index) => leb(index)))),
    ...section(4, tables),
    ...section(5, limits && vector([limits])),
    ...section(7, vector([...exports, ...(memory ? [[...text("memory"), 0x02, 0x00]] : [])])),
    ...section(10, vector(bodies)),
  ]);
}

/** Parameters of a function, or constants. */
export const get = (local: number) => [0x20, local];
export const i32 = (value: number) => [0x41, ...signed(value)];

function signed(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  for (;;) {
    const byte = left & 0x7f;
    left >>= 7;
    if ((left === 0 && (byte & 0x40) === 0) || (left === -1 && (byte & 0x40) !== 0)) return [...bytes, byte];
    bytes.push(byte | 0x80);
  }
}

/** A module with an example of everything that can be called. */
export const EXAMPLE = wasmModule({
  memory: [1],
  functions: [
    { name: "add", params: [I32, I32], results: [I32], body: [...get(0), ...get(1), 0x6a] },
    { name: "big", params: [I64, I32], results: [I64], body: [...get(0), ...get(1), 0xac, 0x7c] },
    {
      name: "half",
      params: [F64],
      results: [F64],
      body: [...get(0), 0x44, 0, 0, 0, 0, 0, 0, 0xe0, 0x3f, 0xa2],
    },
    { name: "nothing", params: [], results: [], body: [] },
    { name: "alloc", params: [I32], results: [I32], body: i32(1024) },
    { name: "same", params: [I32, I32], results: [I32, I32], body: [...get(0), ...get(1)] },
    { name: "outside", params: [], results: [I32, I32], body: [...i32(65_530), ...i32(100)] },
    { name: "trap", params: [], results: [], body: [0x00] },
    { name: "spin", params: [], results: [], body: [0x03, 0x40, 0x0c, 0x00, 0x0b] },
    // Grows by a page until it can't, and gives how many there are.
    {
      name: "grow",
      params: [],
      results: [I32],
      body: [0x03, 0x40, ...i32(1), 0x40, 0x00, ...i32(-1), 0x47, 0x0d, 0x00, 0x0b, 0x3f, 0x00],
    },
    { name: "deep", params: [], results: [], body: [0x10, 10] },
  ],
});

interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** What every engine has and no configuration of TypeScript for Node names as a value. */
export const engine = (
  globalThis as unknown as {
    readonly WebAssembly: {
      validate(bytes: Uint8Array<ArrayBuffer>): boolean;
      readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
      readonly Instance: new (module: object) => { readonly exports: Readonly<Record<string, unknown>> };
      readonly Memory: new (options: { readonly initial: number }) => Memory;
    };
  }
).WebAssembly;
