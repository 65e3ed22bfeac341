import type { ExecutionUpdate, Issue, Value } from "../../protocol/index.ts";

/** See README.md for what the members mean. */
export interface Topic {
  readonly topic: string;
  readonly about: string;
  readonly cases: readonly Case[];
}

export interface Case extends Step {
  readonly name: string;
  readonly then?: readonly Step[];
}

export interface Step {
  readonly request: unknown;
  readonly expect?: Expectation;
  readonly issues?: readonly Partial<Issue>[];
  readonly subset?: boolean;
  readonly error?: { readonly code: string };
}

export type Line = readonly Value[];

export interface Expectation {
  readonly status: "completed" | "failed" | "cancelled" | "suspended";
  readonly outputs?: Readonly<Record<string, Value>>;
  readonly error?: { readonly code?: string; readonly nodeId?: string };
  readonly pending?: readonly string[];
  readonly paths?: Readonly<Record<string, readonly Line[]>>;
  readonly others?: boolean;
  readonly unordered?: readonly string[];
  readonly anyOrder?: readonly string[];
  readonly items?: Readonly<Record<string, string>>;
  readonly requests?: Readonly<Record<string, string>>;
  readonly fingerprints?: Readonly<Record<string, string>>;
}

/**
 * Whoever runs workflows: takes the JSON text of a request, gives the updates. A request that is refused rejects with
 * an error that has `code` and `details`.
 */
export type Execute = (body: string) => AsyncIterable<ExecutionUpdate>;
