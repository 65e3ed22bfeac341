import type { Executor } from "../../protocol/index.ts";
import type { Emissions, NodeContext, NodeType } from "./node-type.ts";

/** One attempt of one node, with everything that running it needs. */
export interface Task {
  readonly node: NodeType;
  /** False for containers: they run where the engine runs, only what is inside is placed. */
  readonly placeable: boolean;
  readonly placement: "any" | "local" | "server";
  readonly context: NodeContext;
}

/** An attempt that has a place. */
export interface Placement {
  readonly executor: Executor;
  /** Pulled by the engine one by one: not pulling is back pressure, `return()` ends the attempt. */
  readonly emissions: Emissions;
}

/**
 * Where nodes run: here, in a pool of processes, on a mesh of peers. The engine gives it an attempt once its inputs are
 * there, and reads its emissions. An error thrown or rejected, by `start` or by the emissions, fails the attempt.
 * A promise is for runners that must find a place first; the attempt counts as started when it resolves.
 */
export interface Runner {
  start(task: Task): Placement | Promise<Placement>;
}

const HERE: Executor = { kind: "local" };

/** Runs every node in this very thread. */
export const localRunner: Runner = {
  start: (task) => ({ executor: HERE, emissions: task.node.execute(task.context) }),
};
