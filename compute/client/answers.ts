import { type Answer, NodeflowError, type UpdateOf, type Value } from "../../protocol/index.ts";

/** A question as a tool gets it, beside its arguments. */
export interface ToolCall {
  readonly nodeId: string;
  readonly request: string;
  /** The JSON Schema that the answer must fit. */
  readonly schema?: Value;
  /** Why the last answer was not accepted. */
  readonly rejected?: string;
  readonly signal: AbortSignal;
}

/** Answers a `tool` node. What it throws is the node's error. */
export type Tool = (args: Value, call: ToolCall) => Value | Promise<Value>;
/** Tools by name, or who answers a name; undefined leaves the question to the caller. */
export type Tools = Readonly<Record<string, Tool>> | ((name: string) => Tool | undefined);

/** Answers to one question that may be refused before it is left to the caller. */
const MAX_REFUSALS = 5;

interface Asked {
  readonly request: string;
  refusals: number;
  /** The answer once there is one, and whether an executor has been given it. */
  answer: Answer | null;
  given: boolean;
}

/**
 * Answers questions by the registered tools. A tool is called as soon as its question comes; the answers go to the next
 * executor together, when the run is suspended.
 */
export class Answers {
  readonly #tools: Tools;
  readonly #signal: AbortSignal;
  readonly #asked = new Map<string, Asked>();
  readonly #running = new Set<Promise<void>>();

  constructor(tools: Tools, signal: AbortSignal) {
    this.#tools = tools;
    this.#signal = signal;
  }

  ask(question: UpdateOf<"input-requested">): void {
    const tool = this.#toolOf(question.tool);
    if (!tool) return;
    const known = this.#asked.get(question.nodeId);
    const same = known?.request === question.request;
    // After a reconnect the same question comes again: its answer is there already, or on its way.
    if (same && question.rejected === undefined) return;
    const refusals = same ? known.refusals + 1 : 0;
    const asked: Asked = { request: question.request, refusals, answer: null, given: false };
    this.#asked.set(question.nodeId, asked);
    if (refusals > MAX_REFUSALS) return;
    const running = this.#call(tool, question, asked).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  #toolOf(name: string): Tool | undefined {
    if (typeof this.#tools === "function") return this.#tools(name);
    return Object.hasOwn(this.#tools, name) ? this.#tools[name] : undefined;
  }

  /** The node has its answer. */
  forget(path: string): void {
    this.#asked.delete(path);
  }

  /** Waits for the tools under way. True if there is an answer that no executor has been given. */
  async ready(): Promise<boolean> {
    while (this.#running.size > 0) await Promise.all(this.#running);
    return [...this.#asked.values()].some((asked) => asked.answer !== null && !asked.given);
  }

  /** All answers for the next executor, by path. */
  give(): Record<string, Answer> {
    const answers: Record<string, Answer> = {};
    for (const [path, asked] of this.#asked) {
      if (asked.answer === null) continue;
      answers[path] = asked.answer;
      asked.given = true;
    }
    return answers;
  }

  async #call(tool: Tool, question: UpdateOf<"input-requested">, asked: Asked): Promise<void> {
    const { nodeId, request, schema, rejected } = question;
    const call: ToolCall = {
      nodeId,
      request,
      signal: this.#signal,
      ...(schema !== undefined && { schema }),
      ...(rejected !== undefined && { rejected }),
    };
    try {
      asked.answer = { request, value: await tool(question.args, call) };
    } catch (error) {
      const code = error instanceof NodeflowError ? error.code : "NODE_FAILED";
      asked.answer = {
        request,
        error: { code, message: error instanceof Error ? error.message : String(error) },
      };
    }
  }
}
