import type { ExecutionUpdate } from "../../protocol/index.ts";

interface Known {
  status: "begun" | "completed" | "skipped" | "reset";
  /** The highest attempt seen. It outlives resets: attempts only count up. */
  attempt: number;
  /** Began as effectful and has not completed since: what it did to the world is not known. */
  inDoubt: boolean;
  /** Paths directly under this one. */
  inside: Set<string> | undefined;
}

/**
 * What a reader of updates knows of each path, as far as resuming depends on it. Values are the fold's business;
 * this keeps only how far each path is, which attempt it is at, and whether its effects are in doubt.
 */
export class Ledger {
  readonly #paths = new Map<string, Known>();
  /** Top-level paths begun and not completed. Parents begin before their children, so these are the topmost ones. */
  readonly #open = new Set<string>();
  readonly #inDoubt = new Set<string>();

  note(update: ExecutionUpdate): void {
    switch (update.type) {
      case "node-started":
        this.#begin(update.nodeId, update.attempt, update.effectful === true);
        return;
      case "node-completed":
        this.#complete(update.nodeId, update.withheld === true);
        return;
      case "node-reused":
        this.#complete(update.nodeId, false);
        return;
      case "node-skipped":
        this.#mark(update.nodeId, "skipped");
        return;
      case "node-reset":
        this.#reset(update.nodeId, update.attempt);
    }
  }

  /** The highest attempt of a path, 0 if it never began. */
  attempt(path: string): number {
    return this.#paths.get(path)?.attempt ?? 0;
  }

  completed(path: string): boolean {
    return this.#paths.get(path)?.status === "completed";
  }

  skipped(path: string): boolean {
    return this.#paths.get(path)?.status === "skipped";
  }

  /** True for a path that a further start would contradict: begun or completed, and not reset since. */
  standing(path: string): boolean {
    const status = this.#paths.get(path)?.status;
    return status === "begun" || status === "completed";
  }

  /** The topmost paths that were begun and not completed. */
  open(): string[] {
    return [...this.#open];
  }

  /** Paths that began as effectful and have not completed. */
  inDoubt(): string[] {
    return [...this.#inDoubt];
  }

  #known(path: string): Known {
    let known = this.#paths.get(path);
    if (!known) {
      known = { status: "reset", attempt: 0, inDoubt: false, inside: undefined };
      this.#paths.set(path, known);
      const parent = this.#paths.get(parentOf(path) ?? "");
      if (parent) {
        parent.inside ??= new Set();
        parent.inside.add(path);
      }
    }
    return known;
  }

  #mark(path: string, status: Known["status"]): Known {
    const known = this.#known(path);
    known.status = status;
    if (!path.includes("/")) {
      if (status === "begun") this.#open.add(path);
      else this.#open.delete(path);
    }
    return known;
  }

  #begin(path: string, attempt: number, effectful: boolean): void {
    const known = this.#mark(path, "begun");
    known.attempt = Math.max(known.attempt, attempt);
    if (effectful) {
      known.inDoubt = true;
      this.#inDoubt.add(path);
    }
  }

  /** A completed path is not run again, and neither is anything under it; unless its outputs are missing. */
  #complete(path: string, withheld: boolean): void {
    const known = this.#mark(path, "completed");
    if (!withheld) this.#settle(path, known);
  }

  #settle(path: string, known: Known): void {
    if (known.inDoubt) {
      known.inDoubt = false;
      this.#inDoubt.delete(path);
    }
    this.#eachInside(known, (inner, path) => this.#settle(path, inner));
  }

  #reset(path: string, attempt: number): void {
    const known = this.#mark(path, "reset");
    known.attempt = Math.max(known.attempt, attempt - 1);
    this.#forgetInside(known);
  }

  #forgetInside(known: Known): void {
    this.#eachInside(known, (inner) => {
      inner.status = "reset";
      this.#forgetInside(inner);
    });
  }

  #eachInside(known: Known, visit: (inner: Known, path: string) => void): void {
    for (const path of known.inside ?? []) {
      const inner = this.#paths.get(path);
      if (inner) visit(inner, path);
    }
  }
}

function parentOf(path: string): string | undefined {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? undefined : path.slice(0, slash);
}
