import type { ExecuteOptions, ExecutionUpdate, Workflow } from "../../protocol/index.ts";

/** Whether the outputs of a path are shown to the caller. */
export type Shows = (path: string) => boolean;

/**
 * `options.outputs`, decided on this side: the client itself needs all outputs for the checkpoint.
 * Nodes without output handles are told by their type, `output`; the client knows no others.
 */
export function shows(workflow: Workflow, outputs: ExecuteOptions["outputs"] = "all"): Shows {
  if (outputs === "all") return () => true;
  if (outputs === "none") return () => false;
  const ids = new Set(outputs === "leaves" ? leaves(workflow) : outputs);
  return (path) => {
    const slash = path.indexOf("/");
    return ids.has(slash < 0 ? path : path.slice(0, slash));
  };
}

/** Top-level nodes that feed nothing, or only `output` nodes. */
function leaves(workflow: Workflow): string[] {
  const sinks = new Set(workflow.nodes.filter((node) => node.type === "output").map((node) => node.id));
  const feeding = new Set(
    workflow.edges.filter((edge) => !sinks.has(edge.target)).map((edge) => edge.source),
  );
  return workflow.nodes.filter((node) => !feeding.has(node.id)).map((node) => node.id);
}

/** Leaves out what the caller doesn't want to see, says so on completion (`withheld`), and numbers the rest. */
export class View {
  readonly #shows: Shows;
  readonly #withheld = new Set<string>();
  #seq = 0;

  constructor(shows: Shows) {
    this.#shows = shows;
  }

  /** The update as the caller sees it, or null. */
  of(update: ExecutionUpdate): ExecutionUpdate | null {
    if (update.type === "node-output" && !this.#shows(update.nodeId)) {
      this.#withheld.add(update.nodeId);
      return null;
    }
    this.#seq += 1;
    if (update.type === "node-started") this.#withheld.delete(update.nodeId);
    if (update.type === "node-completed" && this.#withheld.delete(update.nodeId)) {
      return { ...update, seq: this.#seq, withheld: true };
    }
    return { ...update, seq: this.#seq };
  }
}
