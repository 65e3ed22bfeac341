import type { ExecuteOptions } from "../../protocol/index.ts";
import type { Issues } from "./issues.ts";
import type { Plan } from "./plan.ts";

/** Which top-level nodes a run is about. */
export interface Selection {
  /** `until` and their ancestors; null for all. */
  readonly selected: ReadonlySet<number> | null;
  /** `from` and their descendants: run again, whatever the checkpoint has. */
  readonly again: ReadonlySet<number>;
  /** Whose outputs are sent; null for all. */
  readonly sent: ReadonlySet<string> | null;
}

export function select(plan: Plan, options: Partial<ExecuteOptions>, issues: Issues): Selection {
  let byId: Map<string, number> | null = null;
  const find = (ids: readonly string[], option: string): Set<number> => {
    byId ??= new Map(plan.nodes.map((node) => [node.id, node.index]));
    const found = new Set<number>();
    for (const [at, id] of ids.entries()) {
      const index = byId.get(id);
      if (index === undefined) {
        const message = `options.${option}: there is no node "${id}"`;
        issues.add("INVALID_NODE_ID", message, `/options/${option}/${at}`, { nodeId: id });
      } else {
        found.add(index);
      }
    }
    return found;
  };
  const until = options.until ? find(options.until, "until") : null;
  const from = options.from ? find(options.from, "from") : new Set<number>();
  return {
    selected: until && ancestors(plan, until),
    again: descendants(plan, from),
    sent: sent(plan, options.outputs ?? "all", find),
  };
}

/** Plans are in topological order, so one pass backwards finds all ancestors … */
function ancestors(plan: Plan, found: Set<number>): Set<number> {
  for (const node of plan.nodes.toReversed()) {
    if (!found.has(node.index)) continue;
    for (const input of node.inputs) for (const edge of input.edges) found.add(edge.source);
  }
  return found;
}

/** … and one pass forwards all descendants. */
function descendants(plan: Plan, found: Set<number>): Set<number> {
  if (found.size === 0) return found;
  for (const node of plan.nodes) {
    if (!found.has(node.index)) continue;
    for (const output of node.outputs) for (const edge of output.edges) found.add(edge.target);
  }
  return found;
}

function sent(
  plan: Plan,
  outputs: ExecuteOptions["outputs"],
  find: (ids: readonly string[], option: string) => Set<number>,
): ReadonlySet<string> | null {
  if (outputs === "all") return null;
  if (outputs === "none") return new Set();
  if (outputs !== "leaves") {
    find(outputs, "outputs");
    return new Set(outputs);
  }
  const leaves = plan.nodes.filter((node) =>
    node.outputs.every((output) =>
      output.edges.every((edge) => plan.nodes[edge.target]?.outputs.length === 0),
    ),
  );
  return new Set(leaves.map((node) => node.id));
}
