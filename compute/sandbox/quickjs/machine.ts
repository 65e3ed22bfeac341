import quickjs from "@jitl/quickjs-wasmfile-release-sync";
import type {
  BorrowedHeapCharPointer,
  EvalDetectModule,
  EvalFlags,
  HostRefId,
  IntrinsicsFlags,
  JSContextPointer,
  JSContextPointerPointer,
  JSRuntimePointer,
  JSValueConstPointer,
  JSValueConstPointerPointer,
  JSValuePointer,
  JSVoidPointer,
  OwnedHeapCharPointer,
  QuickJSEmscriptenModule,
  QuickJSFFI,
  QuickJSSyncVariant,
} from "quickjs-emscripten-core";
import { FUEL, METER } from "./meter.ts";
import { Instance, Memory, promising, suspending, type WasmModule } from "./web-assembly.ts";

/** Something inside a machine. */
export type Pointer = JSValuePointer;

/** What a program threw where nobody expects it. */
export class MachineError extends Error {
  override readonly name = "MachineError";
}

export interface MachineOptions {
  /** QuickJS, metered. */
  readonly module: WasmModule;
  readonly initialPages: number;
  readonly maxPages: number;
  /** Called with each line that the guest tells: a level, and a message as JSON. */
  readonly tell: (level: string, message: string) => void;
  /**
   * Called when the fuel is spent, gives how much there is from now on, or throws to stop for good. If `mayWait`, it may do so
   * later, and everything else on this thread goes on meanwhile.
   */
  readonly refuel: (mayWait: boolean) => number | Promise<number>;
}

/** Typed as CommonJS, which it isn't where it is imported. */
const VARIANT = quickjs as unknown as QuickJSSyncVariant;
/** Of QuickJS's own stack: far less than what any host's stack holds, so that deep recursion is an error inside only. */
const STACK_BYTES = 192 * 1_024;
const TELL = 1 as HostRefId;
/** A script in the global scope: no flags. */
const AS_SCRIPT = 0 as EvalFlags;
/** No choice of what the context has: the guest chooses. */
const EVERYTHING = 0 as IntrinsicsFlags;

/**
 * One instance of QuickJS with one context. It is used by one job and then dropped with all its memory: nothing inside needs
 * freeing but what would pile up during a job. After anything has been thrown out of it, it must not be used again.
 */
export class Machine {
  readonly memory: Memory;
  readonly #module: QuickJSEmscriptenModule;
  readonly #ffi: QuickJSFFI;
  readonly #fuel: { value: number };
  readonly #call: (...args: number[]) => Promise<number> | number;
  readonly #work: (...args: number[]) => Promise<number> | number;
  readonly #evaluate: (...args: number[]) => Promise<number> | number;
  #runtime = 0 as JSRuntimePointer;
  #context = 0 as JSContextPointer;

  /** An instance in whose memory nothing has happened yet: either `boot` it, or fill the memory and `adopt`. */
  static async create(options: MachineOptions): Promise<Machine> {
    const memory = new Memory({ initial: options.initialPages, maximum: options.maxPages });
    let instance: Instance | undefined;
    let mayWait = false;
    let fuel = { value: 0 };
    let coming: Promise<number> | undefined;
    const spent = () => {
      const given = options.refuel(mayWait);
      if (typeof given === "number") fuel.value = given;
      else coming = given;
      return typeof given === "number" ? 0 : 1;
    };
    const wait = async () => {
      fuel.value = (await coming) ?? 0;
    };
    const [imported, Ffi] = await Promise.all([VARIANT.importModuleLoader(), VARIANT.importFFI()]);
    // Bundlers wrap CommonJS in one more layer, or two.
    let load = imported;
    while (typeof load !== "function") load = load.default;
    const module = await load({
      wasmMemory: memory as never,
      instantiateWasm(imports, onSuccess) {
        const meter = { [METER.spent]: spent, [METER.wait]: suspending(wait) };
        instance = new Instance(options.module, { ...imports, [METER.module]: meter });
        onSuccess(instance as never);
        return instance.exports as never;
      },
    });
    fuel = instance?.exports[FUEL] as unknown as { value: number };
    return new Machine(memory, module, new Ffi(module), fuel, options.tell, (waits) => {
      mayWait = waits;
    });
  }

  private constructor(
    memory: Memory,
    module: QuickJSEmscriptenModule,
    ffi: QuickJSFFI,
    fuel: { value: number },
    tell: MachineOptions["tell"],
    allowWaiting: (waits: boolean) => void,
  ) {
    this.memory = memory;
    this.#module = module;
    this.#ffi = ffi;
    this.#fuel = fuel;
    const exports = module as unknown as Readonly<Record<string, (...args: number[]) => number>>;
    const entry = (name: string) => {
      const enter = promising(exports[name] as (...args: number[]) => number);
      return async (...args: number[]) => {
        allowWaiting(true);
        try {
          return await enter(...args);
        } finally {
          allowWaiting(false);
        }
      };
    };
    this.#call = entry("_QTS_Call");
    this.#work = entry("_QTS_ExecutePendingJob");
    this.#evaluate = entry("_QTS_Eval");
    Object.assign(module, {
      callbacks: {
        callFunction: (
          _: unknown,
          _context: unknown,
          _self: unknown,
          count: number,
          args: JSValuePointer,
        ) => {
          // The host's own function is on the stack now, and that can't be put aside.
          allowWaiting(false);
          const arg = (index: number) => this.text(this.#ffi.QTS_ArgvGetJSValueConstPointer(args, index));
          if (count === 2) tell(arg(0), arg(1));
          allowWaiting(true);
          return 0;
        },
        freeHostRef: () => undefined,
        shouldInterrupt: () => 0,
      },
    });
  }

  boot(): void {
    this.#runtime = this.#ffi.QTS_NewRuntime();
    this.#context = this.#ffi.QTS_NewContext(this.#runtime, EVERYTHING);
    this.#ffi.QTS_RuntimeSetMaxStackSize(this.#runtime, STACK_BYTES);
  }

  /** Where things are in the memory: to be told to a machine that gets a copy of it. */
  get roots(): readonly [number, number] {
    return [this.#runtime, this.#context];
  }

  adopt([runtime, context]: readonly [number, number]): void {
    this.#runtime = runtime as JSRuntimePointer;
    this.#context = context as JSContextPointer;
  }

  /** No fuel at all: the next step asks for some. */
  drain(): void {
    this.#fuel.value = 0;
  }

  /** The function that the guest calls to be heard. */
  tellFunction(): Pointer {
    return this.#ffi.QTS_NewFunction(this.#context, "tell", 2, false, TELL);
  }

  /** A script's value. */
  async evaluate(script: string, name: string): Promise<Pointer> {
    const [code, length] = this.#copyIn(script);
    const [file] = this.#copyIn(name);
    const noModule = 0 as EvalDetectModule;
    const value = await this.#evaluate(this.#context, code, length, file, noModule, AS_SCRIPT);
    this.#free(code);
    this.#free(file);
    return this.#unlessThrown(value as JSValuePointer);
  }

  async call(callee: Pointer, ...args: readonly Pointer[]): Promise<Pointer> {
    const list = this.#allocate(4 * Math.max(args.length, 1));
    new Uint32Array(this.memory.buffer).set(args, list >> 2);
    const self = this.#ffi.QTS_GetUndefined();
    const value = await this.#call(
      this.#context,
      callee,
      self,
      args.length,
      list as JSValueConstPointerPointer,
    );
    this.#free(list);
    return this.#unlessThrown(value as JSValuePointer);
  }

  /** Runs what promises have set off, until nothing is left of it. */
  async settle(): Promise<void> {
    const where = this.#allocate(4) as JSContextPointerPointer;
    // Each call runs a number of jobs, so that a chain of promises without end passes by here too.
    while (this.#ffi.QTS_IsJobPending(this.#runtime)) {
      const value = await this.#work(this.#runtime, JOBS_AT_ONCE, where);
      this.release(this.#unlessThrown(value as JSValuePointer));
    }
    this.#free(where);
  }

  element(list: Pointer, index: number): Pointer {
    return this.#ffi.QTS_GetPropNumber(this.#context, list, index);
  }

  length(list: Pointer): number {
    const out = this.#allocate(4);
    const failed = this.#ffi.QTS_GetLength(this.#context, out as never, list);
    const length = new Uint32Array(this.memory.buffer)[out >> 2] ?? 0;
    this.#free(out);
    return failed ? 0 : length;
  }

  /** Text without NUL and lone surrogates, as JSON is. */
  text(value: Pointer | JSValueConstPointer): string {
    const text = this.#ffi.QTS_GetString(this.#context, value);
    if (text === 0) throw new MachineError("Text was expected");
    const copy = this.#module.UTF8ToString(text);
    this.#ffi.QTS_FreeCString(this.#context, text);
    return copy;
  }

  newText(text: string): Pointer {
    const [copy] = this.#copyIn(text);
    const value = this.#ffi.QTS_NewString(this.#context, copy as BorrowedHeapCharPointer);
    this.#free(copy);
    return value;
  }

  /** A copy of an ArrayBuffer. */
  buffer(value: Pointer): ArrayBuffer | undefined {
    const at = this.#ffi.QTS_GetArrayBuffer(this.#context, value);
    const length = this.#ffi.QTS_GetArrayBufferLength(this.#context, value);
    if (length < 0 || (at === 0 && length > 0)) return undefined;
    const copy = this.memory.buffer.slice(at, at + length);
    // What is given is a copy already, inside.
    this.#free(at);
    return copy;
  }

  newBuffer(buffer: ArrayBuffer): Pointer {
    const at = this.#allocate(Math.max(buffer.byteLength, 1));
    new Uint8Array(this.memory.buffer).set(new Uint8Array(buffer), at);
    return this.#ffi.QTS_NewArrayBuffer(this.#context, at as JSVoidPointer, buffer.byteLength);
  }

  release(value: Pointer): void {
    this.#ffi.QTS_FreeValuePointer(this.#context, value);
  }

  #unlessThrown(value: Pointer): Pointer {
    const error = this.#ffi.QTS_ResolveException(this.#context, value);
    if (error === 0) return value;
    throw new MachineError(this.text(error));
  }

  #copyIn(text: string): readonly [at: OwnedHeapCharPointer, length: number] {
    const length = this.#module.lengthBytesUTF8(text);
    const at = this.#allocate(length + 1) as OwnedHeapCharPointer;
    this.#module.stringToUTF8(text, at, length + 1);
    return [at, length];
  }

  #allocate(bytes: number): number {
    const at = this.#module._malloc(bytes);
    if (at === 0) throw new MachineError("InternalError: out of memory");
    return at;
  }

  #free(at: number): void {
    this.#module._free(at);
  }
}

const JOBS_AT_ONCE = 1_000;
