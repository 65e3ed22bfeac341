import type { Checkpoint } from "../checkpoint.ts";
import { NodeFold } from "./node-state.ts";

/** More segments than any path of a run has, and few enough to be walked by recursion. */
const MAX_SEGMENTS = 64;

/**
 * Paths as a tree, so that what is under a path is found, forgotten and brought back at once, however many others
 * there are.
 */
export class PathTree {
  state: NodeFold | null = null;
  children: Map<string, PathTree> | null = null;
  /** The attempt that the last reset of this very path announced: earlier ones are over. */
  floor = 0;
  /** What a reset has withdrawn, for what of it is reused. */
  #withdrawn: PathTree | null = null;

  /** The tree at a path; null if there is none, or if the path is longer than any. */
  find(path: string): PathTree | null {
    // Most paths are a single segment.
    const direct = this.children?.get(path);
    if (direct !== undefined) return direct;
    if (!path.includes("/")) return null;
    let at: PathTree | undefined = this;
    for (const segment of path.split("/")) {
      at = at.children?.get(segment);
      if (at === undefined) return null;
    }
    return at;
  }

  /** The tree at a path, made if there is none. Null for a path that is longer than any. */
  make(path: string): PathTree | null {
    if (!path.includes("/")) return this.#child(path);
    const segments = path.split("/");
    if (segments.length > MAX_SEGMENTS) return null;
    return segments.reduce<PathTree>((at, segment) => at.#child(segment), this);
  }

  #child(segment: string): PathTree {
    this.children ??= new Map();
    let child = this.children.get(segment);
    if (child === undefined) {
      child = new PathTree();
      this.children.set(segment, child);
    }
    return child;
  }

  /** Forgets this path and everything under it, but keeps it aside: it may be reused. */
  withdraw(attempt: number): void {
    const before = this.#withdrawn ?? new PathTree();
    if (this.state?.status === "completed") before.state = this.state;
    if (this.children !== null) {
      // What was withdrawn earlier and hasn't come back stays at hand. Only what came since is looked at.
      if (before.children === null) before.children = this.children;
      else for (const [segment, child] of this.children) before.children.set(segment, child);
    }
    this.#withdrawn = before.state === null && before.children === null ? null : before;
    this.state = null;
    this.children = null;
    this.floor = attempt;
  }

  /** Forgets everything under this path for good. */
  clear(): void {
    this.children = null;
    this.#withdrawn = null;
  }

  /** Forgets what resets have withdrawn: the path has completed. */
  settle(): void {
    this.#withdrawn = null;
  }

  /** Brings back what another tree has at this place. That tree keeps a list of its own: it may be asked again. */
  restore(from: PathTree): void {
    this.state = from.state;
    this.children = from.children === null ? null : new Map(from.children);
    if (this.state !== null) this.state.reused = true;
  }

  /** What was completed at a path before a reset of it or of something above it. */
  withdrawn(segments: readonly string[], from = 0): PathTree | null {
    const child = from < segments.length ? this.children?.get(segments[from]!) : undefined;
    const near = child?.withdrawn(segments, from + 1) ?? null;
    return near ?? this.#withdrawn?.completed(segments, from) ?? null;
  }

  /** What is completed at a path, here or in what was withdrawn. */
  completed(segments: readonly string[], from = 0): PathTree | null {
    if (from === segments.length && this.state?.status === "completed") return this;
    const child = from < segments.length ? this.children?.get(segments[from]!) : undefined;
    return child?.completed(segments, from + 1) ?? this.#withdrawn?.completed(segments, from) ?? null;
  }

  /** All paths with a state, each parent before its children. */
  *entries(prefix = ""): IterableIterator<[path: string, state: NodeFold]> {
    if (this.state !== null) yield [prefix, this.state];
    if (this.children === null) return;
    for (const [segment, child] of this.children)
      yield* child.entries(prefix === "" ? segment : `${prefix}/${segment}`);
  }
}

/** The entries of a checkpoint as a tree. Paths are claims: those that no run could have are dropped. */
export function treeOf(checkpoint: Checkpoint): PathTree {
  const tree = new PathTree();
  for (const path of Object.keys(checkpoint.nodes)) {
    const at = tree.make(path);
    if (at !== null) at.state = NodeFold.of(checkpoint.nodes[path]!);
  }
  return tree;
}
