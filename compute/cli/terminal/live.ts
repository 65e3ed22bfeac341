import { createInterface } from "node:readline/promises";
import type { ReadStream, WriteStream } from "node:tty";
import { styleText } from "node:util";
import { createLogUpdate } from "log-update";
import type { ExecutionResult, ExecutionUpdate, Value, Workflow } from "../../../protocol/index.ts";
import type { Tool, ToolCall } from "../../client/index.ts";
import { read, wording } from "./ask.ts";
import { Score } from "./board.ts";
import { draw, type Paint, type Tone } from "./draw.ts";
import { summary } from "./summary.ts";

/** Frames are drawn at most so often; people don't see more, and the run needs the time. */
const FRAME_MS = 80;
/** Wider rows would tear names and times apart. */
const WIDEST = 100;

const STYLES: Readonly<Record<Tone, Parameters<typeof styleText>[0]>> = {
  plain: "reset",
  dim: "dim",
  bold: "bold",
  good: "green",
  bad: "red",
  busy: "cyan",
  ask: "yellow",
};

/** A run on a terminal: its board, redrawn in place; questions below it; in the end what it gave. */
export class Live {
  readonly #score: Score;
  readonly #out: WriteStream;
  readonly #input: ReadStream;
  readonly #frame: ReturnType<typeof createLogUpdate>;
  readonly #onInterrupt: () => void;
  #timer: NodeJS.Timeout | undefined;
  /** Questions are asked one after another. */
  #asking: Promise<unknown> = Promise.resolve();
  #asked = 0;

  constructor(
    workflow: Workflow,
    title: string,
    terminal: { out: WriteStream; input: ReadStream },
    onInterrupt: () => void,
  ) {
    this.#score = new Score(workflow, title);
    this.#out = terminal.out;
    this.#input = terminal.input;
    this.#frame = createLogUpdate(this.#out);
    this.#onInterrupt = onInterrupt;
  }

  /** Shows the updates as they come. Resolves when they have ended. */
  async show(updates: AsyncIterable<ExecutionUpdate>): Promise<void> {
    this.#timer = setInterval(() => this.#draw(), FRAME_MS);
    try {
      for await (const update of updates) this.#score.note(update);
    } finally {
      clearInterval(this.#timer);
      this.#timer = undefined;
      // What was refused never began: there is nothing to show of it.
      if (this.#score.board.startedAt === null) this.#frame.clear();
      else this.#draw();
      this.#frame.done();
    }
  }

  notice(text: string | null): void {
    this.#score.board.notice = text;
  }

  /** Asks the person at the terminal. */
  readonly tool = (tool: string): Tool => {
    return (args, call) => {
      const answer = this.#asking.then(() => this.#ask(tool, args, call));
      this.#asking = answer.catch(() => undefined);
      return answer;
    };
  };

  end(result: ExecutionResult): void {
    this.#out.write(`${summary(result, this.#paint, this.#columns).join("\n")}\n`);
  }

  get #columns(): number {
    return this.#out.columns;
  }

  readonly #paint: Paint = (tone, text) => {
    if (tone === "plain" || text === "") return text;
    return styleText(STYLES[tone], text, { stream: this.#out, validateStream: true });
  };

  #draw(): void {
    // A question is being typed below the board.
    if (this.#asked > 0) return;
    const screen = {
      // The last column and line stay free: writing there makes terminals scroll.
      width: Math.min(this.#columns - 1, WIDEST),
      height: this.#out.rows - 2,
      paint: this.#paint,
      now: Date.now(),
    };
    this.#frame(draw(this.#score, screen).join("\n"));
  }

  async #ask(tool: string, args: Value, call: ToolCall): Promise<Value> {
    this.#asked += 1;
    this.#frame.clear();
    const { lines, prompt } = wording({ ...call, tool, args }, this.#columns);
    this.#out.write(`${lines.map((line) => this.#paint("ask", line)).join("\n")}\n`);
    const input = createInterface({ input: this.#input, output: this.#out });
    input.on("SIGINT", this.#onInterrupt);
    const left = new Promise<never>((_resolve, reject) => {
      input.once("close", () => reject(new Error("Nobody answered")));
    });
    // Also when the question has been answered, and nobody waits for it any more.
    left.catch(() => undefined);
    try {
      for (;;) {
        const line = await Promise.race([input.question(prompt, { signal: call.signal }), left]);
        const reading = read(line, call.schema);
        if ("value" in reading) return reading.value;
        this.#out.write(`${this.#paint("bad", reading.problem)}\n`);
      }
    } catch (error) {
      // The end of the input (Ctrl-D) is as good as Ctrl-C: there is nobody to ask.
      this.#onInterrupt();
      throw error;
    } finally {
      input.close();
      this.#asked -= 1;
      this.#out.write("\n");
    }
  }
}
