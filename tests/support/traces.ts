import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ExecutionUpdate, Workflow } from "../../protocol/index.ts";

/** A real workflow that somebody ran: tasks, what each waits for, and how long it took. */
export interface Trace {
  readonly name: string;
  readonly tasks: readonly Task[];
}

export interface Task {
  readonly id: string;
  readonly parents: readonly string[];
  readonly seconds: number;
}

interface WfFormat {
  readonly workflow: {
    readonly specification: {
      readonly tasks: readonly { readonly id: string; readonly parents: readonly string[] }[];
    };
    readonly execution: {
      readonly tasks: readonly { readonly id: string; readonly runtimeInSeconds: number }[];
    };
  };
}

/** The traces (WfFormat 1.5) in the folder that `NODEFLOW_DATA` names; undefined where it isn't set. */
export function readTraces(): Trace[] | undefined {
  const data = process.env["NODEFLOW_DATA"];
  if (data === undefined || data === "") return undefined;
  const folder = join(data, "wfinstances");
  const files = readdirSync(folder).filter((file) => file.endsWith(".json"));
  return files.map((file) => {
    const { workflow } = JSON.parse(readFileSync(join(folder, file), "utf8")) as WfFormat;
    const seconds = new Map(workflow.execution.tasks.map((task) => [task.id, task.runtimeInSeconds]));
    const tasks = workflow.specification.tasks.map(({ id, parents }) => ({
      id,
      parents,
      seconds: seconds.get(id) ?? 0,
    }));
    return { name: file.replace(".json", ""), tasks };
  });
}

const LONGEST_MS = 100;

/** Each task waits as long as it took, scaled down, and then says that it is done. */
export function asDelays({ tasks }: Trace): Workflow {
  const longest = Math.max(...tasks.map((task) => task.seconds));
  return {
    nodes: tasks.flatMap((task) => [
      { id: task.id, type: "delay", data: { ms: Math.round((task.seconds / longest) * LONGEST_MS) } },
      // A delay passes on all that it was given: without this, values would grow with every join.
      { id: done(task.id), type: "transform", data: { expression: "1" } },
    ]),
    edges: tasks.flatMap((task) => [
      { source: task.id, target: done(task.id) },
      ...task.parents.map((parent) => ({ source: done(parent), target: task.id })),
    ]),
  };
}

const done = (id: string) => `${id} done`;

const MODULUS = 9973;

/** Each task computes a number from those of its parents; those that nobody waits for are outputs. */
export function asArithmetic({ tasks }: Trace): Workflow {
  const awaited = new Set(tasks.flatMap((task) => task.parents));
  const last = tasks.filter((task) => !awaited.has(task.id));
  return {
    nodes: [
      ...tasks.map((task, index) => ({
        id: task.id,
        type: "transform",
        data: { expression: formula(task, index) },
      })),
      ...last.map((task) => ({ id: `${task.id} result`, type: "output", data: { name: task.id } })),
    ],
    edges: [
      ...tasks.flatMap((task) =>
        task.parents.map((parent, at) => ({ source: parent, target: task.id, targetHandle: `p${at}` })),
      ),
      ...last.map((task) => ({ source: task.id, target: `${task.id} result` })),
    ],
  };
}

function formula(task: Task, index: number): string {
  const terms = task.parents.map((_, at) => `${at + 2} * $p${at}`);
  return `(${[index + 1, ...terms].join(" + ")}) % ${MODULUS}`;
}

/** What `asArithmetic` gives, computed without any engine. */
export function evaluateTrace({ tasks }: Trace): Record<string, number> {
  const values = new Map<string, number>();
  const indexes = new Map(tasks.map((task, index) => [task.id, index]));
  const numberOf = (id: string): number => {
    const known = values.get(id);
    if (known !== undefined) return known;
    const index = indexes.get(id) as number;
    const parents = (tasks[index] as Task).parents;
    const value = parents.reduce((sum, parent, at) => sum + (at + 2) * numberOf(parent), index + 1) % MODULUS;
    values.set(id, value);
    return value;
  };
  return Object.fromEntries(tasks.map((task) => [task.id, numberOf(task.id)]));
}

/** What is wrong with the order in which the tasks of a trace ran. */
export function orderFaults({ tasks }: Trace, updates: readonly ExecutionUpdate[]): string[] {
  const at = (type: string, id: string) =>
    updates.flatMap((update, index) =>
      update.type === type && "nodeId" in update && update.nodeId === id ? [index] : [],
    );
  return tasks.flatMap((task) => {
    const [started = Number.NaN, ...more] = at("node-started", task.id);
    const completions = at("node-completed", task.id);
    const faults = task.parents
      .filter((parent) => !((at("node-completed", parent)[0] ?? Number.NaN) < started))
      .map((parent) => `${task.id} started before ${parent} had completed`);
    if (more.length > 0 || completions.length !== 1)
      faults.push(`${task.id} completed ${completions.length} times`);
    return faults;
  });
}
