import { invalidName, NodeflowError } from "../../protocol/index.ts";
import { Indices } from "./indices.ts";

const NUMBER = /^(0|[1-9]\d{0,14})$/;

/** What an attempt of a container has called its nested runs. Paths of two runs under one name would be the same. */
export class ScopeNames {
  readonly #numbers = new Indices();
  #others: Set<string> | null = null;

  /** Throws if the name can't stand in a path, or was used before. */
  use(name: string | undefined): void {
    if (name !== undefined && NUMBER.test(name)) {
      if (!this.#numbers.add(Number(name))) throw wrong(`has begun the scope "${name}" twice`);
      return;
    }
    const invalid = name === undefined ? null : invalidName(name);
    if (invalid) throw wrong(`has begun a scope whose name ${invalid}`);
    this.#others ??= new Set();
    const key = name ?? "";
    if (this.#others.has(key)) {
      throw wrong(
        name === undefined
          ? "has begun its nested workflow twice: give each run a scope"
          : `has begun the scope "${name}" twice`,
      );
    }
    this.#others.add(key);
  }
}

function wrong(what: string): NodeflowError {
  return new NodeflowError("NODE_FAILED", `The container ${what}`, { retryable: false });
}
