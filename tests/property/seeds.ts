import { inspect } from "node:util";
import { expect, it } from "vitest";
import { Prng } from "../support/random.ts";

/** What a property found wrong with one seed, and what led to it. */
export interface Finding {
  readonly problems: readonly string[];
  /** Shown with the problems: a workflow, its updates. */
  readonly evidence?: Readonly<Record<string, unknown>>;
}

const FILE = /property\/([a-z-]+\.test\.ts)/;

/**
 * A test that holds for every seed. `NODEFLOW_SEED` replays one, `NODEFLOW_RUNS` is a factor on how many are tried.
 * Stops at the first seed for which it doesn't hold, and says how to see it again.
 */
export function holds(
  name: string,
  runs: number,
  body: (random: Prng, seed: number) => Promise<Finding>,
): void {
  const file = FILE.exec(new Error().stack ?? "")?.[1] ?? "";
  it(name, async () => {
    for (const seed of seeds(runs)) {
      const { problems, evidence } = await attempt(body, seed);
      if (problems.length === 0) continue;
      const replay = `NODEFLOW_SEED=${seed} npx vitest run --project property tests/property/${file} -t "${name}"`;
      expect.fail(
        [`seed ${seed}; replay: ${replay}`, ...problems.slice(0, 12), ...shown(evidence)].join("\n"),
      );
    }
  });
}

function seeds(runs: number): number[] {
  const one = process.env["NODEFLOW_SEED"];
  if (one !== undefined) return [Number(one)];
  const count = Math.max(1, Math.round(runs * Number(process.env["NODEFLOW_RUNS"] ?? 1)));
  return Array.from({ length: count }, (_, index) => index + 1);
}

async function attempt(
  body: (random: Prng, seed: number) => Promise<Finding>,
  seed: number,
): Promise<Finding> {
  try {
    return await body(new Prng(seed), seed);
  } catch (error) {
    const { details } = error as { details?: unknown };
    return { problems: [inspect(error)], ...(details !== undefined && { evidence: { details } }) };
  }
}

function shown(evidence: Readonly<Record<string, unknown>> = {}): string[] {
  return Object.entries(evidence).map(([name, value]) => {
    const lines = Array.isArray(value)
      ? value.map((one) => `  ${JSON.stringify(one)}`)
      : [JSON.stringify(value)];
    return `${name}:\n${lines.join("\n")}`;
  });
}
