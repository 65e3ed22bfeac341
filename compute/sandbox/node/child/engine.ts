import type { LogLevel } from "../../sandbox.ts";
import type { Packed } from "../../values.ts";

export type Log = (level: LogLevel, message: string) => void;
/** What a guest's `take()` gave. */
export type Taken = readonly [state: string, ...Packed];

export interface StartOptions {
  readonly group: number;
  readonly script: string;
  readonly scriptName: string;
  readonly given: Packed;
  readonly memoryMb: number;
}

/** A job in a context of its own. */
export interface Started {
  /** Computes the next value. Rejects where the engine itself fails: then nothing of it is of any use. */
  step(): Promise<Taken>;
  end(): void;
}

/** What runs programs inside a child, one at a time. */
export interface Engine {
  readonly name: string;
  start(options: StartOptions): Promise<Started>;
  /** Forgets the group, and makes ready for another. */
  refresh(): Promise<void>;
}
