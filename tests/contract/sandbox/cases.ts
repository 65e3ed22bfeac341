import type { SandboxCase } from "./case.ts";
import { CONSOLE_CASES, PROGRAM_CASES } from "./programs.ts";
import { RANDOM_CASES } from "./random.ts";
import { VALUE_CASES } from "./values.ts";
import { WORLD_CASES } from "./world.ts";

/** Every case there is, by what it is about. */
export const SANDBOX_CASES: Readonly<Record<string, readonly SandboxCase[]>> = {
  values: VALUE_CASES,
  programs: PROGRAM_CASES,
  console: CONSOLE_CASES,
  random: RANDOM_CASES,
  world: WORLD_CASES,
};
