/** Names longer than this are not compared: the work grows with the square of the length. */
const MAX_LENGTH = 40;
/** More differences than this are no slip of the pen. */
const MAX_DISTANCE = 2;

/** The name that was probably meant: the nearest one, if at most two letters are wrong, missing or too many. */
export function closest(name: string, names: Iterable<string>): string | null {
  let best: string | null = null;
  let least = MAX_DISTANCE + 1;
  for (const candidate of names) {
    const far = distance(name, candidate);
    if (far >= least || far >= candidate.length) continue;
    best = candidate;
    least = far;
  }
  return best;
}

/** How many letters must be changed, added or taken away (Levenshtein 1966). */
function distance(a: string, b: string): number {
  if (a.length > MAX_LENGTH || b.length > MAX_LENGTH) return Number.POSITIVE_INFINITY;
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let at = 1; at <= a.length; at++) {
    const next = [at];
    for (let column = 1; column <= b.length; column++) {
      const change = (row[column - 1] ?? 0) + (a[at - 1] === b[column - 1] ? 0 : 1);
      next.push(Math.min(change, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
