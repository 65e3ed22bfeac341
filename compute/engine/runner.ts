import type { Executor } from "../../protocol/index.ts";
import type { Cost, NodeContext, NodeType, Placement } from "./node-type.ts";

/** One attempt of one node, with everything that running it needs. */
export interface Task {
  readonly node: NodeType;
  /** False for containers: they run where the engine runs, only what is inside is placed. */
  readonly placeable: boolean;
  readonly placement: "any" | "local" | "server";
  /** Of this very node. */
  readonly cost: Cost;
  readonly context: NodeContext;
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

/** Runs every node in this very thread, but those that have a place of their own. */
export const localRunner: Runner = {
  start: ({ node, context }) =>
    node.place ? node.place(context) : { executor: HERE, emissions: node.execute(context) },
};
