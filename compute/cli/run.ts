import process from "node:process";
import { ReadStream, WriteStream } from "node:tty";
import type { ExecuteRequest, ExecutionResult, UpdateOf } from "../../protocol/index.ts";
import {
  createClient,
  follow,
  type Interrupted,
  type Run,
  RunInterrupted,
  type RunOptions,
} from "../client/index.ts";
import { localEngine } from "../hosts/local.ts";
import type { LocalMachine } from "../hosts/node-local.ts";
import { checkWritable, saveCheckpoint } from "./files.ts";
import { writeLines } from "./lines.ts";
import { LocalTransport } from "./local.ts";
import { ownMachine } from "./machine.ts";
import { EXIT, type ExitCode, explainInfo, printable, UsageError } from "./problem.ts";
import { buildRequest, type RequestOptions } from "./request.ts";
import { outputFiles, saveOutputs } from "./save-outputs.ts";
import { Live } from "./terminal/live.ts";
import { duration } from "./terminal/text.ts";

export interface RunCommandOptions extends RequestOptions {
  readonly server?: string;
  readonly token?: string;
  readonly saveCheckpoint?: string;
  readonly output?: readonly string[];
  readonly json?: boolean;
}

/** `nodeflow run FILE`. */
export async function runCommand(file: string, options: RunCommandOptions): Promise<ExitCode> {
  await using machine = ownMachine();
  const request = await buildRequest(file, options);
  const files = await outputFiles(options.output ?? [], request.workflow);
  if (options.saveCheckpoint !== undefined) await checkWritable(options.saveCheckpoint);
  const interrupting = new Interrupts();
  const terminal = options.json ? null : terminalOf();
  const live = terminal
    ? new Live(request.workflow, request.workflow.name ?? file, terminal, () => interrupting.interrupt())
    : null;
  const run = begin(request, options, machine, {
    ...(live && { tools: live.tool }),
    onInterruption: (interrupted) => {
      refuseUnusable(interrupted, options.server);
      if (live) live.notice(trying(interrupted));
      else complain(trying(interrupted));
    },
  });
  interrupting.of(run);
  try {
    const result = run.result;
    // Where reading fails, the result fails in the same way, and is looked at below.
    const shown = live ? live.show(run) : writeLines(run, process.stdout, interrupting.gone);
    await Promise.allSettled([shown]);
    const ended = await result;
    live?.end(ended);
    if (ended.status === "completed") {
      const missing = await saveOutputs(files, ended);
      for (const name of missing) complain(`${name} was skipped, so nothing was written`);
      if (live) {
        for (const [name, path] of files) if (!missing.includes(name)) complain(`saved ${name} to ${path}`);
        const unsaved = Object.keys(ended.outputs).find(
          (name) => !files.has(name) && ended.outputs[name] instanceof Uint8Array,
        );
        if (unsaved !== undefined) complain(`hint: --output ${unsaved}=FILE saves it`);
      }
    }
    if (ended.status === "suspended") explainSuspension(ended, options);
    else if (ended.error && !live) complain(...explainInfo(ended.error));
    return EXIT[ended.status];
  } catch (error) {
    if (error instanceof RunInterrupted && error.checkpoint && options.saveCheckpoint === undefined) {
      complain("hint: with --save-checkpoint FILE the run could be taken up from where it was");
    }
    throw error;
  } finally {
    interrupting.dispose();
    const checkpoint = options.saveCheckpoint === undefined ? undefined : run.checkpoint();
    if (options.saveCheckpoint !== undefined && checkpoint)
      await saveCheckpoint(options.saveCheckpoint, checkpoint);
  }
}

function begin(
  request: ExecuteRequest,
  options: RunCommandOptions,
  { types, runner, secrets }: LocalMachine,
  runOptions: RunOptions,
): Run {
  const { server: url, token } = options;
  if (url === undefined)
    return follow(new LocalTransport(localEngine({ types, runner }), secrets), request, runOptions);
  return createClient({ url, ...(token !== undefined && { token }) }).execute(request, runOptions);
}

/** Of a terminal that doesn't tell its size. */
const COLUMNS = 80;
const ROWS = 24;

/** The terminal, if there is one to show something on and to ask somebody at. */
function terminalOf(): { out: WriteStream; input: ReadStream } | null {
  const { stdout, stdin } = process;
  // With TERM=dumb nothing can be redrawn.
  if (!(stdout instanceof WriteStream) || !(stdin instanceof ReadStream) || process.env["TERM"] === "dumb")
    return null;
  // A terminal that doesn't tell its size says 0, which whoever draws on it would believe.
  stdout.columns ||= COLUMNS;
  stdout.rows ||= ROWS;
  return { out: stdout, input: stdin };
}

/** Ctrl-C, and readers that go away. */
class Interrupts {
  readonly #gone = new AbortController();
  #run: Run | null = null;
  #times = 0;

  constructor() {
    process.on("SIGINT", this.#onSignal);
    process.on("SIGTERM", this.#onSignal);
    process.stdout.on("error", this.#onBroken);
  }

  /** Aborted when nobody reads standard output any more. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  of(run: Run): void {
    this.#run = run;
  }

  /** Once: cancels the run, which then ends as it should. Twice: leaves at once. */
  interrupt(): void {
    this.#times += 1;
    if (this.#times > 1) process.exit(EXIT.cancelled);
    this.#run?.cancel().catch(() => undefined);
  }

  dispose(): void {
    process.off("SIGINT", this.#onSignal);
    process.off("SIGTERM", this.#onSignal);
  }

  readonly #onSignal = () => this.interrupt();

  readonly #onBroken = (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    this.#gone.abort();
    this.#run?.cancel().catch(() => undefined);
  };
}

function explainSuspension(result: ExecutionResult, options: RunCommandOptions): void {
  const asked = (result.requests ?? []).filter((update) => update.type === "input-requested");
  const file = options.saveCheckpoint ?? options.checkpoint ?? "FILE";
  complain(...asked.flatMap((question) => explainQuestion(question)));
  if (options.saveCheckpoint === undefined)
    complain("  run it again with --save-checkpoint FILE, so that it can go on later");
  complain(
    `  answer with: --checkpoint ${file}${asked.map(({ nodeId }) => ` --answer ${nodeId}=JSON`).join("")}`,
  );
}

function explainQuestion({ nodeId, tool, args, rejected }: UpdateOf<"input-requested">): string[] {
  const why = rejected === undefined ? "" : `; the last answer was not accepted: ${rejected}`;
  return [`suspended: node ${nodeId} asks ${tool} ${JSON.stringify(args)}${why}`];
}

/** Ports that `fetch` never calls (the Fetch standard's "bad ports") don't get better by trying again. */
function refuseUnusable({ message }: Interrupted, server: string | undefined): void {
  if (server === undefined || !message.endsWith(": bad port")) return;
  throw new UsageError(`${server} can't be called: bad port`, { hint: "Give --server another port" });
}

function trying({ message, waitMs, failures }: Interrupted): string {
  return `${message}; trying again in ${duration(waitMs)} (${failures})`;
}

function complain(...lines: string[]): void {
  for (const line of lines) process.stderr.write(`${printable(line)}\n`);
}
