import {
  type Checkpoint,
  type ExecuteRequest,
  type ExecutionResult,
  type ExecutionUpdate,
  isTerminal,
  type NodeflowError,
  type TerminalUpdate,
  type UpdateOf,
} from "../../protocol/index.ts";
import { Answers, type Tools } from "./answers.ts";
import { Broadcast } from "./broadcast.ts";
import { type Clock, pause } from "./clock.ts";
import { handOver, requestFor, topOf } from "./hand-over.ts";
import { RunInterrupted } from "./interrupted.ts";
import { Mapped } from "./mapped.ts";
import { nextWait, type Patience } from "./patience.ts";
import { Follower, type Piece } from "./pieces.ts";
import { readable } from "./readable.ts";
import { Seam } from "./seam.ts";
import { State } from "./state.ts";
import { sizeOf, Tally } from "./tally.ts";
import { Interruption, type Transport } from "./transport.ts";
import { shows, View } from "./visible.ts";

/** What the client says while it tries again. */
export interface Interrupted {
  readonly message: string;
  /** The wait before the next try, in milliseconds. */
  readonly waitMs: number;
  /** Tries in a row that have failed. */
  readonly failures: number;
}

export interface RunOptions {
  /** Aborting it cancels the run. */
  readonly signal?: AbortSignal;
  /** Answer the questions of `tool` nodes, by the tool's name. */
  readonly tools?: Tools;
  /**
   * Whether to go on by itself when a stream breaks. Default true: unless an effectful node may have had its effect.
   * `"always"`: also then, so that the effect may be had twice.
   */
  readonly resume?: boolean | "always";
  /** Told when the stream broke and another try will be made. */
  readonly onInterruption?: (interrupted: Interrupted) => void;
}

/** What a run stands on; all of it can be played by tests. */
export interface RunDeps {
  readonly transport: Transport;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly patience: Patience;
}

/** After asking to cancel: how long the terminal update is waited for, before the connection is closed. */
const CANCEL_GRACE_MS = 3_000;

interface Delivered {
  readonly update: ExecutionUpdate;
  /** As the caller sees it; null if it doesn't. */
  readonly visible: ExecutionUpdate | null;
}

/** Why the client closes a connection itself. */
const CANCELLED = new Interruption("The run was cancelled");

/**
 * A run, whoever executes it and however often it changes hands. Its updates can be read by many, each at its own pace
 * (`Broadcast` says who holds back whom). It begins at once.
 */
export class Run implements AsyncIterable<ExecutionUpdate> {
  readonly #request: ExecuteRequest;
  readonly #options: RunOptions;
  readonly #deps: RunDeps;
  readonly #seam = new Seam();
  readonly #view: View;
  readonly #tally = new Tally();
  /** Of the present executor, as are `#given` and `#executionId`. */
  #state: State;
  readonly #answers: Answers;
  readonly #questions = new Map<string, UpdateOf<"input-requested">>();
  readonly #broadcast: Broadcast<Delivered>;
  /** Aborted when the run is over, or is to be over at once. */
  readonly #closing = new AbortController();
  readonly #ended: Promise<ExecutionResult>;
  #result: Promise<ExecutionResult> | null = null;
  #given: ExecuteRequest;
  #executionId: string | null = null;
  #firstId = "";
  #cancelled: Promise<void> | null = null;

  constructor(request: ExecuteRequest, options: RunOptions, deps: RunDeps) {
    this.#request = request;
    this.#options = options;
    this.#deps = deps;
    this.#given = this.#resumes ? { ...request, options: { ...request.options, outputs: "all" } } : request;
    this.#view = new View(this.#resumes ? shows(request.workflow, request.options?.outputs) : () => true);
    this.#state = new State(this.#given);
    this.#answers = new Answers(options.tools ?? {}, this.#closing.signal);
    this.#broadcast = new Broadcast(() => void this.cancel());
    const { signal } = options;
    const onAbort = () => void this.cancel();
    if (signal?.aborted) onAbort();
    else signal?.addEventListener("abort", onAbort, { once: true });
    this.#ended = this.#drive().finally(() => signal?.removeEventListener("abort", onAbort));
    // Who reads the updates learns of a failure there; `result` is a promise of its own.
    this.#ended.catch(() => undefined);
  }

  /** How the run ended, whichever way. Rejects only if that can't be known, or if the request was refused. */
  get result(): Promise<ExecutionResult> {
    this.#broadcast.flow();
    this.#result ??= this.#ended.then((result) => result);
    return this.#result;
  }

  /** A further reader, from the first update on. */
  get stream(): ReadableStream<ExecutionUpdate> {
    return readable(this[Symbol.asyncIterator]());
  }

  /** Reads the updates from the first one on. If the last reader leaves and nobody wants the result, the run is cancelled. */
  [Symbol.asyncIterator](): AsyncIterableIterator<ExecutionUpdate, undefined> {
    return new Mapped(
      () => this.#broadcast.reader("first"),
      ({ visible }) => ({ items: visible === null ? [] : [visible] }),
    );
  }

  /** The output of one handle: what there is of it, then the rest as it comes. What is withdrawn is `set` to empty. */
  node(path: string, handle = "out"): ReadableStream<Piece> {
    return readable(this.#pieces(path, handle));
  }

  /** The state of the run as any executor can take it up. Undefined if it never began. */
  checkpoint(): Checkpoint | undefined {
    const current = this.#state.checkpoint();
    return current ? handOver(this.#given, current) : this.#given.checkpoint;
  }

  /** Ends the run. Resolves when the executor was asked; the updates then end with `execution-cancelled`. */
  cancel(): Promise<void> {
    this.#cancelled ??= this.#cancel();
    return this.#cancelled;
  }

  get #resumes(): boolean {
    return this.#options.resume !== false;
  }

  async #cancel(): Promise<void> {
    this.#broadcast.flow();
    const asked = this.#executionId !== null && (await this.#deps.transport.cancel(this.#executionId));
    if (!asked) return this.#close();
    const stop = this.#deps.clock.after(CANCEL_GRACE_MS, () => this.#close());
    this.#closing.signal.addEventListener("abort", stop, { once: true });
  }

  #close(): void {
    this.#broadcast.lift();
    this.#closing.abort(CANCELLED);
  }

  #pieces(path: string, handle: string): AsyncIterableIterator<Piece, undefined> {
    const follower = new Follower(path, handle);
    return new Mapped<Delivered, Piece>(
      () => this.#broadcast.reader("next"),
      ({ update }) => follower.follow(update),
      () => ({
        items: follower.begin(this.#state.output(path, handle)),
        last: this.#seam.ledger.completed(topOf(path)),
      }),
    );
  }

  async #drive(): Promise<ExecutionResult> {
    try {
      const terminal = await this.#toTheEnd();
      this.#push(terminal);
      this.#broadcast.close();
      return this.#resultOf(terminal);
    } catch (error) {
      this.#broadcast.fail(error);
      throw error;
    } finally {
      this.#closing.abort(CANCELLED);
    }
  }

  /** Goes from executor to executor until the run has ended. */
  async #toTheEnd(): Promise<TerminalUpdate> {
    let failures = 0;
    for (;;) {
      const before = this.#tally.completed;
      const ending = await this.#oneExecutor();
      if (ending instanceof Interruption) {
        if (this.#cancelled) return this.#cancelledHere();
        // Whoever gets further by each try may go on for ever; whoever doesn't gives up.
        failures = this.#tally.completed > before ? 1 : failures + 1;
        await this.#wait(ending, failures);
        if (this.#cancelled) return this.#cancelledHere();
      } else {
        if (ending.type !== "execution-suspended") return ending;
        const answered = await this.#answers.ready();
        if (this.#cancelled) return this.#cancelledHere();
        if (!answered) return ending;
        failures = 0;
      }
      this.#takeUp();
    }
  }

  /** The updates of one executor, up to its terminal update or to where the stream breaks. */
  async #oneExecutor(): Promise<TerminalUpdate | Interruption> {
    let next = 1;
    try {
      if (this.#closing.signal.aborted) throw CANCELLED;
      for await (const { seq, update } of this.#deps.transport.execute(this.#given, this.#closing.signal)) {
        if (seq < next) continue;
        if (seq > next) throw new Interruption(`Update ${next} is missing`);
        next += 1;
        if (update === null) continue;
        if (isTerminal(update)) return this.#isBreak(update) ?? update;
        await this.#deliver(update);
      }
      return new Interruption("The stream ended before the run");
    } catch (error) {
      if (error instanceof Interruption) return error;
      if (this.#closing.signal.aborted) return CANCELLED;
      throw error;
    } finally {
      this.#executionId = null;
    }
  }

  /** An executor that goes away, or takes the client for gone, doesn't end the run. */
  #isBreak(terminal: TerminalUpdate): Interruption | null {
    if (terminal.type !== "execution-cancelled" || terminal.reason === "client" || !this.#resumes)
      return null;
    return new Interruption(
      terminal.reason === "shutdown" ? "The service is shutting down" : "The service hung up",
    );
  }

  async #deliver(update: ExecutionUpdate): Promise<void> {
    await this.#broadcast.room();
    // From here on nothing waits: a reader that joins finds the state and the updates to come in step.
    this.#state.note(update);
    if (update.type === "execution-started") {
      this.#executionId = update.executionId;
      if (this.#firstId === "") this.#firstId = update.executionId;
      for (const reset of this.#seam.begin(update.timestamp)) this.#push(reset);
    } else if (update.type === "input-requested") {
      this.#questions.set(update.nodeId, update);
      this.#answers.ask(update);
    } else if (update.type === "node-completed") this.#answers.forget(update.nodeId);
    for (const sewn of this.#seam.accept(update)) this.#push(sewn);
  }

  #push(update: ExecutionUpdate): void {
    const bytes = update.type === "node-output" ? sizeOf(update.value) : 0;
    this.#tally.note(update, bytes);
    this.#broadcast.push({ update, visible: this.#view.of(update) }, bytes);
  }

  /** Waits before the next try, or throws what can't be mended by trying. */
  async #wait(interruption: Interruption, failures: number): Promise<void> {
    const { patience, random, clock } = this.#deps;
    const inDoubt = this.#seam.ledger.inDoubt();
    if (!this.#resumes) throw this.#giveUp(interruption, interruption.message);
    if (inDoubt.length > 0 && this.#options.resume !== "always") {
      const why = `${inDoubt.join(", ")} may have had its effect, and going on would repeat it`;
      throw this.#giveUp(interruption, `${interruption.message}; ${why}`);
    }
    const waitMs = nextWait(patience, failures, interruption.retryAfterMs, random());
    if (waitMs === null)
      throw this.#giveUp(interruption, `${interruption.message}; gave up after ${failures} tries`);
    this.#options.onInterruption?.({ message: interruption.message, waitMs, failures });
    try {
      await pause(clock, waitMs, this.#closing.signal);
    } catch {
      // Cancelled meanwhile, which the caller of this looks at.
    }
  }

  #giveUp(interruption: Interruption, message: string): NodeflowError {
    const checkpoint = this.checkpoint();
    return new RunInterrupted(message, {
      checkpoint,
      inDoubt: this.#seam.ledger.inDoubt(),
      cause: interruption,
    });
  }

  /** Makes the request for the next executor out of what is known of the run. */
  #takeUp(): void {
    const current = this.#state.checkpoint();
    if (current) this.#given = requestFor(this.#given, handOver(this.#given, current));
    const answers = { ...this.#request.answers, ...this.#answers.give() };
    if (Object.keys(answers).length > 0) this.#given = { ...this.#given, answers };
    this.#state = new State(this.#given);
  }

  #cancelledHere(): TerminalUpdate {
    const now = this.#deps.clock.now();
    return {
      type: "execution-cancelled",
      seq: 1,
      timestamp: now,
      reason: "client",
      metrics: this.#tally.metrics(now),
    };
  }

  #resultOf(terminal: TerminalUpdate): ExecutionResult {
    const head = { executionId: this.#firstId, metrics: terminal.metrics };
    if (terminal.type === "execution-completed")
      return { ...head, status: "completed", outputs: terminal.outputs };
    const checkpoint = this.checkpoint();
    const rest = { ...head, outputs: {}, ...(checkpoint && { checkpoint }) };
    if (terminal.type === "execution-failed") return { ...rest, status: "failed", error: terminal.error };
    if (terminal.type === "execution-cancelled") return { ...rest, status: "cancelled" };
    const requests = terminal.pending.flatMap((path) => this.#questions.get(path) ?? []);
    return { ...rest, status: "suspended", requests };
  }
}
