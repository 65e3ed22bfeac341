import type { Job, LogLevel, Program, Sandbox, Values } from "../../compute/sandbox/index.ts";
import { decodeJson, type ErrorCode, encodeJson, NodeflowError, type Value } from "../../protocol/index.ts";

/** A way to another place, of texts in order. */
export interface Channel {
  send(text: string): void;
  listen(listener: (text: string) => void): void;
}

type Fields = { readonly [name: string]: Value };
type Given = Omit<Job, "log">;

/** A sandbox that another place has and `serveSandbox` gives away: so one suite tests the sandbox of every host. */
export function remoteSandbox(channel: Channel): Sandbox {
  const waiting = new Map<number, PromiseWithResolvers<Value>>();
  const logs = new Map<number, Job["log"]>();
  let questions = 0;
  let jobs = 0;

  channel.listen((text) => {
    const { id, answer = null, error, job, level, message } = decodeJson(text) as Fields;
    if (level !== undefined) return logs.get(job as number)?.(level as LogLevel, message as string);
    const asked = waiting.get(id as number);
    waiting.delete(id as number);
    if (error === undefined) asked?.resolve(answer);
    else asked?.reject(errorFrom(error as Fields));
  });
  const ask = (question: Fields): Promise<Value> => {
    questions += 1;
    const asked = Promise.withResolvers<Value>();
    waiting.set(questions, asked);
    channel.send(encodeJson({ id: questions, ...question }));
    return asked.promise;
  };
  const result = async (question: Fields): Promise<IteratorResult<Value>> => {
    const { done, value } = (await ask(question)) as Fields;
    return done ? { done: true, value: undefined } : { done: false, value: value ?? null };
  };

  return {
    engine: "remote",
    notes: [],
    async start({ log, ...given }, signal) {
      jobs += 1;
      const job = jobs;
      logs.set(job, log);
      signal.throwIfAborted();
      signal.addEventListener("abort", () => void ask({ what: "abort", job }), { once: true });
      const started = ask({ what: "start", job, given: given as unknown as Value });
      await started.catch((error: unknown) => {
        throw signal.aborted ? signal.reason : error;
      });
      const values: Values = {
        [Symbol.asyncIterator]: () => values,
        next: () => result({ what: "next", job }),
        return: () => result({ what: "return", job }),
      };
      return values;
    },
    close: async () => undefined,
  };
}

/** Does what a remote sandbox is asked, with this one. */
export function serveSandbox(sandbox: Sandbox, channel: Channel): void {
  const aborts = new Map<number, AbortController>();
  const running = new Map<number, Values>();

  const answer = async ({ what, job: asked, given }: Fields): Promise<Value> => {
    const job = asked as number;
    switch (what) {
      case "start": {
        const abort = new AbortController();
        aborts.set(job, abort);
        const log = (level: LogLevel, message: string) => channel.send(encodeJson({ job, level, message }));
        const { program, ...rest } = given as unknown as Given;
        const values = await sandbox.start({ ...rest, program: program as Program, log }, abort.signal);
        running.set(job, values);
        return null;
      }
      case "abort":
        aborts.get(job)?.abort();
        return null;
      case "return":
        await running.get(job)?.return?.();
        return { done: true };
      default: {
        const { done = false, value = null } = (await running.get(job)?.next()) ?? {};
        return { done, value: done ? null : value };
      }
    }
  };
  channel.listen((text) => {
    const question = decodeJson(text) as Fields;
    const id = question["id"] as number;
    answer(question).then(
      (given) => channel.send(encodeJson({ id, answer: given })),
      (error: unknown) => channel.send(encodeJson({ id, error: told(error) })),
    );
  });
}

function told(error: unknown): Value {
  if (error instanceof NodeflowError) {
    return { code: error.code, message: error.message, retryable: error.retryable };
  }
  return {
    code: "INTERNAL",
    message: String((error as Error | undefined)?.stack ?? error),
    retryable: false,
  };
}

function errorFrom({ code, message, retryable }: Fields): NodeflowError {
  return new NodeflowError(code as ErrorCode, String(message), { retryable: retryable === true });
}
