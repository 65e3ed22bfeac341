import { readFileSync } from "node:fs";

/** Private memory of this process, in pages; 0 where the system doesn't tell. */
export function privatePages(): number {
  try {
    return Number(readFileSync("/proc/self/statm", "latin1").split(" ")[5]);
  } catch {
    return 0;
  }
}

/** Turns to wait for memory to be given back. It takes one or two. */
const MAX_TURNS = 10_000;

/**
 * Does what gives back `pages` pages, and waits until it has: an isolate is thrown away by another thread, and most of what it
 * has is address space for code, of which the system grants this process just enough for one.
 */
export async function givingBack(pages: number, release: () => void): Promise<void> {
  const held = privatePages();
  release();
  for (let turn = 0; turn < MAX_TURNS && privatePages() > held - pages / 2; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
