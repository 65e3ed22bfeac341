import {
  type Answer,
  checkSchema,
  fits,
  measure,
  NodeflowError,
  requestOf,
  type Value,
} from "../../protocol/index.ts";
import { own } from "./graph.ts";
import type { Question } from "./node-type.ts";
import type { AttemptPart, RunPart } from "./parts.ts";
import { checkUpdateSize } from "./update-size.ts";

/**
 * What a run asks its client. Answers come with the request, never later: a question without an answer stays open until
 * the run is suspended, and is asked again by the run that goes on from its checkpoint.
 */
export class Questions {
  readonly #run: RunPart;
  readonly #answers: Readonly<Record<string, Answer>>;
  /** The paths of those asked, in order. */
  readonly #open = new Set<string>();
  /** Those that are to be asked once others are closed. */
  readonly #waiting = new Set<() => void>();
  #asking = false;

  constructor(run: RunPart, answers: Readonly<Record<string, Answer>>) {
    this.#run = run;
    this.#answers = answers;
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }

  get pending(): string[] {
    return [...this.#open];
  }

  ask(attempt: AttemptPart, question: Question): Promise<Value> {
    const { path } = attempt.node;
    const { tool, args, schema } = question;
    if (attempt.over) return Promise.reject(attempt.reason);
    const wrong = schema === undefined ? null : checkSchema(schema);
    if (wrong) throw new NodeflowError("INVALID_INPUT", `The schema of the question: ${wrong}`);
    const request = requestOf(path, tool, args);
    const answer = own(this.#answers, path);
    const rejected = answer && rejection(answer, request, schema);
    if (answer && !rejected) {
      return "error" in answer ? Promise.reject(refusal(answer.error)) : Promise.resolve(answer.value);
    }
    const { limits, tally } = this.#run;
    const size = measure(args, limits.maxDepth, limits.maxValueBytes, "args", tally);
    checkUpdateSize(args, tally.weight, "args", limits.maxUpdateBytes);
    return this.#askClient(attempt, () => {
      this.#run.report.inputRequested(path, request, tool, args, size, schema, rejected ?? undefined);
    });
  }

  #askClient(attempt: AttemptPart, report: () => void): Promise<Value> {
    const { path } = attempt.node;
    return new Promise((_, reject) => {
      const send = () => {
        this.#open.add(path);
        report();
      };
      if (this.#hasRoom) send();
      else this.#waiting.add(send);
      attempt.onOver((reason) => {
        reject(reason);
        if (!this.#waiting.delete(send) && this.#open.delete(path)) this.#askNext();
      });
      attempt.seat.beginWait();
    });
  }

  get #hasRoom(): boolean {
    return this.#open.size < this.#run.limits.maxOpenQuestions;
  }

  /** Asks those who wait, a turn later: what closed one question may well be about to close them too. */
  #askNext(): void {
    const { scheduler } = this.#run;
    if (this.#asking || this.#waiting.size === 0 || scheduler.stopped) return;
    this.#asking = true;
    scheduler.hold();
    const ask = () => {
      this.#asking = false;
      for (const send of this.#waiting) {
        if (!this.#hasRoom || scheduler.stopped) break;
        this.#waiting.delete(send);
        send();
      }
      scheduler.unhold();
    };
    scheduler
      .turn()
      .then(ask)
      .catch((error: unknown) => this.#run.broke(error));
  }
}

/** Why an answer isn't one to this question, or null. */
function rejection(answer: Answer, request: string, schema: Value | undefined): string | null {
  if (answer.request !== undefined && answer.request !== request) return "The answer is to another question";
  if ("error" in answer || schema === undefined) return null;
  return fits(answer.value, schema);
}

/** The client says that it can't. Asking the same again would only give the same answer. */
function refusal(error: { readonly code: string; readonly message: string }): NodeflowError {
  return new NodeflowError("NODE_FAILED", error.message, { retryable: false, details: { code: error.code } });
}
