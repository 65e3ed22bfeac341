import type { z } from "zod";
import { Checkpoint, CheckpointEntry } from "./checkpoint.ts";
import type { Wire } from "./codec/marker.ts";
import { pointerTo } from "./codec/pointer.ts";
import { unmarkSteps } from "./codec/unmark.ts";
import { NodeflowError } from "./error.ts";
import { Answer, ExecuteOptions, type ExecuteRequest } from "./execution.ts";
import { NODES_A_STEP, type Steps } from "./steps.ts";
import type { Value } from "./value.ts";
import { Workflow, WorkflowEdge, WorkflowNode } from "./workflow.ts";

export interface ParseOptions {
  /**
   * The wire whose markers are to be read: that of the body. `null` if the values are values already. Default `json`.
   * With a wire, the body is taken over and changed in place.
   */
  readonly wire?: Wire | null;
}

/** What is wrong with a request, and where (a JSON Pointer into it). */
export interface RequestFault {
  readonly path: string;
  readonly message: string;
}

const MAX_FAULTS = 100;
const REQUEST_KEYS = ["workflow", "inputs", "options", "checkpoint", "answers"] as const;

const WorkflowHead = Workflow.omit({ nodes: true, edges: true });
const CheckpointHead = Checkpoint.omit({ nodes: true });

/**
 * Reads the body of `POST /execute`, whose JSON or MessagePack has been read: a request, or a workflow itself. Only its
 * outer shape is checked here. Throws `INVALID_REQUEST` with up to 100 faults as details. Records by name or path have no
 * prototype, so that no name finds anything that wasn't posted.
 */
export function* parseRequest(body: unknown, options: ParseOptions = {}): Steps<ExecuteRequest> {
  const parser = new Parser(options.wire === undefined ? "json" : options.wire);
  const request = yield* parser.request(body);
  parser.finish();
  return request as ExecuteRequest;
}

/** Reads a checkpoint on its own, as it is saved in a file. */
export function* parseCheckpoint(body: unknown, options: ParseOptions = {}): Steps<Checkpoint> {
  const parser = new Parser(options.wire === undefined ? "json" : options.wire);
  const checkpoint = yield* parser.checkpoint(body, "");
  parser.finish();
  return checkpoint as Checkpoint;
}

type Plain = Readonly<Record<string, unknown>>;

function isPlain(value: unknown): value is Plain {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  );
}

class Parser {
  readonly #wire: Wire | null;
  readonly #faults: RequestFault[] = [];

  constructor(wire: Wire | null) {
    this.#wire = wire;
  }

  finish(): void {
    const [first] = this.#faults;
    if (first === undefined) return;
    throw new NodeflowError("INVALID_REQUEST", `${first.path === "" ? "/" : first.path}: ${first.message}`, {
      details: this.#faults,
    });
  }

  *request(body: unknown): Steps<Partial<ExecuteRequest>> {
    if (!isPlain(body)) return this.#not("an object", "", {});
    const bare = Object.hasOwn(body, "nodes") && !REQUEST_KEYS.some((key) => Object.hasOwn(body, key));
    const workflow = yield* this.#workflow(bare ? body : own(body, "workflow"), "/workflow");
    if (bare) return { workflow };
    const request: Partial<ExecuteRequest> = { workflow };
    const [inputs, options] = [own(body, "inputs"), own(body, "options")];
    const [checkpoint, answers] = [own(body, "checkpoint"), own(body, "answers")];
    if (inputs !== undefined) request.inputs = yield* this.#values(inputs, "/inputs");
    if (options !== undefined) {
      const parsed = this.#shape(ExecuteOptions, options, "/options");
      if (parsed !== undefined) request.options = parsed;
    }
    if (checkpoint !== undefined)
      request.checkpoint = (yield* this.checkpoint(checkpoint, "/checkpoint")) as Checkpoint;
    if (answers !== undefined) request.answers = yield* this.#record(answers, "/answers", this.#answer);
    return request;
  }

  *checkpoint(body: unknown, path: string): Steps<Partial<Checkpoint>> {
    if (!isPlain(body)) return this.#not("an object", path, {});
    const head = this.#shape(CheckpointHead, body, path);
    const nodes = yield* this.#record(own(body, "nodes"), `${path}/nodes`, this.#entry);
    return { ...head, nodes };
  }

  *#workflow(body: unknown, path: string): Steps<Workflow> {
    if (!isPlain(body)) return this.#not("an object", path, { nodes: [], edges: [] });
    const head = this.#shape(WorkflowHead, body, path);
    const nodes = yield* this.#list(WorkflowNode, own(body, "nodes"), `${path}/nodes`, this.#nodeValues);
    const posted = own(body, "edges");
    const edges = posted === undefined ? [] : yield* this.#list(WorkflowEdge, posted, `${path}/edges`);
    return { ...head, nodes, edges };
  }

  *#nodeValues(this: Parser, node: WorkflowNode, path: string): Steps<void> {
    if (node.data !== undefined) node.data = yield* this.#value(node.data, `${path}/data`, true);
    if (node.policy !== undefined) node.policy = yield* this.#value(node.policy, `${path}/policy`);
  }

  *#entry(this: Parser, body: unknown, path: string): Steps<CheckpointEntry | undefined> {
    if (!isPlain(body)) return this.#not("an object", path, undefined);
    const outputs = own(body, "outputs");
    const result = own(body, "result");
    // Outputs are read here, since a handle's name must not find anything on a prototype.
    const entry = this.#shape(CheckpointEntry, outputs == null ? body : { ...body, outputs: {} }, path);
    if (entry === undefined || entry.status === "partial") return entry;
    if ("outputs" in entry) {
      return outputs === null
        ? entry
        : { ...entry, outputs: yield* this.#values(outputs, `${path}/outputs`) };
    }
    if (result === undefined) return entry;
    return { ...entry, result: (yield* this.#value(result, `${path}/result`)) as Value };
  }

  *#answer(this: Parser, body: unknown, path: string): Steps<Answer | undefined> {
    const answer = this.#shape(Answer, body, path);
    if (answer === undefined || !("value" in answer)) return answer;
    return { ...answer, value: (yield* this.#value(answer.value, `${path}/value`)) as Value };
  }

  *#values(body: unknown, path: string): Steps<Record<string, Value>> {
    return yield* this.#record(body, path, this.#value as Reader<Value>);
  }

  *#value(this: Parser, body: unknown, path: string, secrets = false): Steps<unknown> {
    if (this.#wire === null || typeof body !== "object" || body === null) return body;
    try {
      return yield* unmarkSteps(body, { wire: this.#wire, pointer: path, secrets });
    } catch (error) {
      if (!(error instanceof NodeflowError)) throw error;
      for (const fault of error.details as readonly RequestFault[]) this.#fault(fault.path, fault.message);
      return null;
    }
  }

  *#list<T>(
    schema: z.ZodType<T>,
    body: unknown,
    path: string,
    values?: (this: Parser, element: T, path: string) => Steps<void>,
  ): Steps<T[]> {
    const list: T[] = [];
    if (!Array.isArray(body)) return this.#not("a list", path, list);
    for (let i = 0; i < body.length; i++) {
      if (i % NODES_A_STEP === NODES_A_STEP - 1) yield;
      const at = `${path}/${i}`;
      const element = this.#shape(schema, body[i], at);
      if (element === undefined) continue;
      if (values !== undefined) yield* values.call(this, element, at);
      list.push(element);
    }
    return list;
  }

  *#record<T>(body: unknown, path: string, read: Reader<T>): Steps<Record<string, T>> {
    const record: Record<string, T> = Object.create(null);
    if (!isPlain(body)) return this.#not("an object", path, record);
    let count = 0;
    for (const name of Object.keys(body)) {
      if (++count % NODES_A_STEP === 0) yield;
      if (name === "__proto__") {
        this.#fault(pointerTo(path, name), "the key __proto__ is refused");
        continue;
      }
      const element = yield* read.call(this, body[name], pointerTo(path, name));
      if (element !== undefined) record[name] = element;
    }
    return record;
  }

  /** Checks a shape; faults are told with their places in the request. */
  #shape<T>(schema: z.ZodType<T>, body: unknown, path: string): T | undefined {
    const parsed = schema.safeParse(body);
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues) {
      const place = issue.path.reduce<string>(
        (at, key) => pointerTo(at, typeof key === "number" ? key : String(key)),
        path,
      );
      this.#fault(place, issue.message);
    }
    return undefined;
  }

  #not<T>(what: string, path: string, instead: T): T {
    this.#fault(path, `must be ${what}`);
    return instead;
  }

  #fault(path: string, message: string): void {
    if (this.#faults.length < MAX_FAULTS) this.#faults.push({ path, message });
  }
}

type Reader<T> = (this: Parser, body: unknown, path: string) => Steps<T | undefined>;

function own(object: Plain, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
