/** WebAssembly as far as it is used here: not every environment's types have it, and none has all of it. */
interface WebAssemblyHost {
  readonly Memory: new (pages: { readonly initial: number; readonly maximum: number }) => Memory;
  readonly Instance: new (module: WasmModule, imports: object) => Instance;
  readonly RuntimeError: new () => Error;
  readonly compile: (bytes: Uint8Array) => Promise<WasmModule>;
  // JavaScript Promise Integration: a stack of WebAssembly is put aside until a promise settles.
  readonly Suspending?: new (
    callee: () => unknown,
  ) => () => unknown;
  readonly promising?: (callee: Exported) => (...args: number[]) => Promise<number>;
}

/** A compiled `WebAssembly.Module`. */
export type WasmModule = object;

export interface Memory {
  readonly buffer: ArrayBuffer;
}

export interface Instance {
  readonly exports: Readonly<Record<string, unknown>>;
}

/** A function that a module exports. */
export type Exported = (...args: number[]) => number;

const host = (globalThis as unknown as { readonly WebAssembly: WebAssemblyHost }).WebAssembly;

export const { Memory, Instance, RuntimeError, compile } = host;

/** Whether something else on the same thread can have a turn while a module computes. */
export const CAN_SUSPEND = host.Suspending !== undefined && host.promising !== undefined;

/** An import that puts its caller aside until its promise settles. */
export function suspending(callee: () => Promise<void>): () => unknown {
  return CAN_SUSPEND && host.Suspending ? new host.Suspending(callee) : callee;
}

/** An export whose caller waits while it is put aside. */
export function promising(callee: Exported): (...args: number[]) => Promise<number> | number {
  return CAN_SUSPEND && host.promising ? host.promising(callee) : callee;
}
