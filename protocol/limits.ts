/**
 * Every cap there is, by name. A host sets what it wants; `GET /capabilities` tells what is in force.
 * Sizes are bytes, times milliseconds. What happens at a cap stands beside it.
 */
export interface Limits {
  /** Body of a request. Beyond: `PAYLOAD_TOO_LARGE`. */
  readonly maxBodyBytes: number;
  /** Values in a body: a scalar counts one, a list or object eight, as it takes that much memory. Beyond: `PAYLOAD_TOO_LARGE`. */
  readonly maxBodyItems: number;
  /** Nesting of JSON and MessagePack, bodies and values alike. Beyond: `INVALID_REQUEST` / `OUTPUT_TOO_LARGE`. */
  readonly maxDepth: number;
  /** Nodes of a workflow, nested ones counted. Beyond: `GRAPH_TOO_LARGE`. */
  readonly maxNodes: number;
  /** Edges of a workflow, nested ones counted. Beyond: `GRAPH_TOO_LARGE`. */
  readonly maxEdges: number;
  /** Workflows inside workflows. Beyond: `GRAPH_TOO_LARGE`. */
  readonly maxNesting: number;
  /** Runs under way at once. Beyond: `CAPACITY_EXCEEDED`. */
  readonly maxActiveRuns: number;
  /** Time of a run; `options.timeoutMs` can only shorten it. Beyond: `EXECUTION_TIMEOUT`. */
  readonly maxExecutionMs: number;
  /** Nodes of one run that compute at once; `options.concurrency` can only lower it. Beyond: nodes wait. */
  readonly maxConcurrency: number;
  /** One value: an emission, or the fold of a handle. Beyond: `OUTPUT_TOO_LARGE`. */
  readonly maxValueBytes: number;
  /** One update in JSON. Text and bytes are cut into smaller updates; anything else: `OUTPUT_TOO_LARGE`. */
  readonly maxUpdateBytes: number;
  /** All folds that one run keeps. Beyond: `RESOURCE_EXHAUSTED`. */
  readonly maxRetainedBytes: number;
  /** Emissions waiting on one live edge. Beyond: the source waits. */
  readonly maxQueueItems: number;
  /** Bytes waiting on one live edge; a larger emission goes alone. Beyond: the source waits. */
  readonly maxQueueBytes: number;
  /** Updates waiting for the reader of a run. Beyond: the run waits. */
  readonly maxPendingUpdates: number;
  /** Bytes waiting for the reader of a run. Beyond: the run waits. */
  readonly maxPendingBytes: number;
  /** Starts of nodes and scopes in one run, every attempt counted. Beyond: `RESOURCE_EXHAUSTED`. */
  readonly maxStarts: number;
  /** `loop.maxIterations`. Beyond: `INVALID_NODE_DATA`. */
  readonly maxIterations: number;
  /** Outgoing calls of one run. Beyond: `RESOURCE_EXHAUSTED`. */
  readonly maxCalls: number;
  /** Outgoing connections that one run has open at once. Beyond: nodes wait. */
  readonly maxConnections: number;
  /** The answer to one outgoing call, counted after decompression. Beyond: `OUTPUT_TOO_LARGE`. */
  readonly maxResponseBytes: number;
  /** MiB that `code` and `wasm` may ask for, each. Beyond: `INVALID_NODE_DATA`. */
  readonly maxSandboxMb: number;
  /** `timeoutMs` that `code` and `wasm` may ask for. Beyond: `INVALID_NODE_DATA`. */
  readonly maxSandboxMs: number;
  /** `node-log` updates of one run. Beyond: dropped, and one line says so. */
  readonly maxLogLines: number;
  /** Characters of one log or progress message. Beyond: cut. */
  readonly maxLogChars: number;
  /** Open questions to the client. Beyond: further ones wait to be asked. */
  readonly maxOpenQuestions: number;
}

const KiB = 1024;
const MiB = 1024 * KiB;

export const DEFAULT_LIMITS: Limits = {
  maxBodyBytes: 32 * MiB,
  maxBodyItems: 16_000_000,
  maxDepth: 128,
  maxNodes: 100_000,
  maxEdges: 250_000,
  maxNesting: 8,
  maxActiveRuns: 1_000,
  maxExecutionMs: 60 * 60_000,
  maxConcurrency: 1_024,
  maxValueBytes: 16 * MiB,
  maxUpdateBytes: 32 * MiB,
  maxRetainedBytes: 256 * MiB,
  maxQueueItems: 256,
  maxQueueBytes: MiB,
  maxPendingUpdates: 1_024,
  maxPendingBytes: 4 * MiB,
  maxStarts: 1_000_000,
  maxIterations: 100_000,
  maxCalls: 10_000,
  maxConnections: 256,
  maxResponseBytes: 256 * MiB,
  maxSandboxMb: 512,
  maxSandboxMs: 10 * 60_000,
  maxLogLines: 10_000,
  maxLogChars: 4 * KiB,
  maxOpenQuestions: 256,
};
