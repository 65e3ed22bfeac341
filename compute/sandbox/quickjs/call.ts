import { SCRIPT_NAME } from "../script-name.ts";
import type { Packed } from "../values.ts";
import { type Image, PAGE_BYTES, restore } from "./image.ts";
import { Machine, MachineError, type MachineOptions, type Pointer } from "./machine.ts";
import type { WasmModule } from "./web-assembly.ts";

export interface CallOptions extends Pick<MachineOptions, "refuel"> {
  readonly module: WasmModule;
  readonly image: Image;
  readonly memoryMb: number;
  readonly log: (level: string, message: string) => void;
}

/** A memory that has grown so far can't give what a program asked for last: QuickJS grows it by a twentieth at least. */
const NEARLY_FULL = 0.9;

/** One call of one program, on a machine of its own. */
export class Call {
  readonly #machine: Machine;
  readonly #image: Image;
  readonly #maxBytes: number;

  static async create({ module, image, memoryMb, log, refuel }: CallOptions): Promise<Call> {
    const maxPages = image.pages + Math.ceil((memoryMb * 1_048_576) / PAGE_BYTES);
    const tell = (level: string, message: string) => log(level, String(JSON.parse(message)));
    const machine = await Machine.create({ module, initialPages: image.pages, maxPages, tell, refuel });
    restore(machine, image);
    machine.drain();
    return new Call(machine, image, maxPages * PAGE_BYTES);
  }

  private constructor(machine: Machine, image: Image, maxBytes: number) {
    this.#machine = machine;
    this.#image = image;
    this.#maxBytes = maxBytes;
  }

  /** Whether what failed may have failed for lack of memory. */
  get isFull(): boolean {
    return this.#machine.memory.buffer.byteLength > NEARLY_FULL * this.#maxBytes;
  }

  async begin(script: string, [text, ...buffers]: Packed): Promise<void> {
    const machine = this.#machine;
    const program = await machine.evaluate(script, SCRIPT_NAME);
    const given = [machine.newText(text), ...buffers.map((buffer) => machine.newBuffer(buffer))];
    await machine.call(this.#image.begin, program, ...given);
    for (const value of given) machine.release(value);
  }

  /** Computes what comes next, and gives what the guest's `take()` does. */
  async step(): Promise<readonly unknown[]> {
    const machine = this.#machine;
    machine.release(await machine.call(this.#image.step));
    await machine.settle();
    const taken = await machine.call(this.#image.take);
    const parts: Pointer[] = [];
    for (let index = 0; index < machine.length(taken); index += 1) parts.push(machine.element(taken, index));
    const read = parts.map((part, index) => (index < 2 ? machine.text(part) : machine.buffer(part)));
    for (const part of [...parts, taken]) machine.release(part);
    if (isSpeechless(read) && this.isFull) throw new MachineError("InternalError: out of memory");
    return read;
  }
}

/** Nothing was said, or null was thrown: as QuickJS does when there is no room even for an error. */
function isSpeechless([state, text]: readonly unknown[]): boolean {
  return state === "pending" || (state === "failed" && String(text).includes('"message":"null"'));
}
