import { GUEST } from "../guest/guest.ts";
import { Machine, type Pointer } from "./machine.ts";
import type { WasmModule } from "./web-assembly.ts";

/**
 * The memory of a machine in which the guest is installed. Making one takes some 15 ms; a job's own machine is a new instance
 * whose memory is a copy of it. What isn't memory (one stack pointer) is the same in each instance as long as nothing runs.
 */
export interface Image {
  readonly pages: number;
  readonly parts: readonly { readonly at: number; readonly bytes: Uint8Array }[];
  readonly roots: readonly [number, number];
  readonly begin: Pointer;
  readonly step: Pointer;
  readonly take: Pointer;
}

/** Values become arguments, one each; lines become JSON, so that no character gets lost. */
const ADAPTER = `(function (guest, tell) { "use strict";
const { stringify } = JSON;
// Too deep a recursion is a RangeError elsewhere.
Object.setPrototypeOf(InternalError.prototype, RangeError.prototype);
const { begin, step, take } = guest((level, message) => tell(level, stringify(message)));
return [(program, text, ...buffers) => begin(program, [text, ...buffers]), step, take];
})`;

export const PAGE_BYTES = 65_536;
/** What QuickJS's own data and stack (5.1 MiB) and an installed guest fit into. */
const FIRST_PAGES = 112;

export async function takeImage(module: WasmModule): Promise<Image> {
  const machine = await Machine.create({
    module,
    initialPages: FIRST_PAGES,
    maxPages: FIRST_PAGES,
    tell: () => undefined,
    refuel: () => 1_000_000_000,
  });
  machine.boot();
  const guest = await machine.evaluate(GUEST, "guest.js");
  const adapter = await machine.evaluate(ADAPTER, "adapter.js");
  const entries = await machine.call(adapter, guest, machine.tellFunction());
  const [begin, step, take] = [0, 1, 2].map((index) => machine.element(entries, index)) as [
    Pointer,
    Pointer,
    Pointer,
  ];
  const memory = new Uint8Array(machine.memory.buffer);
  return { pages: FIRST_PAGES, parts: written(memory), roots: machine.roots, begin, step, take };
}

/** What isn't zero, in pieces. */
function written(memory: Uint8Array): Image["parts"] {
  const parts = [];
  for (let at = 0; at < memory.length; at += PIECE_BYTES) {
    const bytes = memory.subarray(at, at + PIECE_BYTES);
    if (bytes.some((byte) => byte !== 0)) parts.push({ at, bytes: bytes.slice() });
  }
  return parts;
}

const PIECE_BYTES = 4_096;

/** Makes a machine what the image was taken of. */
export function restore(machine: Machine, image: Image): void {
  const memory = new Uint8Array(machine.memory.buffer);
  for (const { at, bytes } of image.parts) memory.set(bytes, at);
  machine.adopt(image.roots);
}
