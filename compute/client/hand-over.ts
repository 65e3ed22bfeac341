import type { Checkpoint, CheckpointEntry, ExecuteRequest } from "../../protocol/index.ts";

/**
 * What the next executor is given: the state of the run so far and, where the last executor had not got round to telling
 * what it reused, what the run itself was given.
 */
export function handOver(request: ExecuteRequest, current: Checkpoint): Checkpoint {
  const given = request.checkpoint;
  if (!given) return current;
  const again = descendants(request, request.options?.from ?? []);
  const nodes = { ...current.nodes };
  for (const [path, entry] of Object.entries(given.nodes)) {
    if (Object.hasOwn(nodes, path) || again.has(topOf(path))) continue;
    if (agrees(path, given, current)) nodes[path] = entry;
  }
  return { ...current, nodes };
}

/** The request for the next executor. What was to be run again (`from`) has begun by now and is not begun once more. */
export function requestFor(request: ExecuteRequest, checkpoint: Checkpoint): ExecuteRequest {
  if (!request.options) return { ...request, checkpoint };
  const { from: _from, ...options } = request.options;
  return { ...request, options, checkpoint };
}

/** An entry under a container holds only as long as everything above it is the same in both, or only in the older one. */
function agrees(path: string, given: Checkpoint, current: Checkpoint): boolean {
  for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
    const above = path.slice(0, slash);
    const now = current.nodes[above];
    if (now !== undefined && !same(given.nodes[above], now)) return false;
  }
  return true;
}

function same(before: CheckpointEntry | undefined, now: CheckpointEntry): boolean {
  return (
    before?.status === "partial" &&
    now.status === "partial" &&
    before.item === now.item &&
    before.fingerprint === now.fingerprint
  );
}

/** These top-level nodes and all that depends on them. */
function descendants(request: ExecuteRequest, from: readonly string[]): Set<string> {
  const found = new Set(from);
  if (found.size === 0) return found;
  const targets = new Map<string, string[]>();
  for (const { source, target } of request.workflow.edges) {
    const known = targets.get(source);
    if (known) known.push(target);
    else targets.set(source, [target]);
  }
  // A set visits what is added to it while it is walked.
  for (const id of found) for (const target of targets.get(id) ?? []) found.add(target);
  return found;
}

/** The top-level node that a path is of or in. */
export function topOf(path: string): string {
  const slash = path.indexOf("/");
  return slash < 0 ? path : path.slice(0, slash);
}
