/** The middle one. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** Takes one sample; the figure it returns is what is compared. */
export type Sample = () => Promise<number>;

/**
 * Medians of samples taken in turns, so that whatever else the machine does falls on all alike.
 * The first rounds warm up and don't count. Garbage isn't collected between samples: a forced collection shrinks the young
 * generation to its least, and what is measured next pays for growing it again (here that doubled the figures of small graphs).
 */
export async function inTurns<Name extends string>(
  samples: Readonly<Record<Name, Sample>>,
  rounds: number,
  warmUp = Math.ceil(rounds / 4),
): Promise<Record<Name, number>> {
  const names = Object.keys(samples) as Name[];
  const taken = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = -warmUp; round < rounds; round += 1) {
    for (const name of names) {
      const figure = await samples[name]();
      if (round >= 0) taken[name].push(figure);
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(taken[name])])) as Record<Name, number>;
}

/** Microseconds that `work` takes. */
export async function microseconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) * 1000;
}
