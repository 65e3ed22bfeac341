import type ivm from "isolated-vm";
import { PREPARE } from "../../guest/guest.ts";
import type { Engine, Log, Started, StartOptions, Taken } from "./engine.ts";
import { givingBack, privatePages } from "./memory.ts";

type Vm = typeof ivm;
type Snapshot = ivm.ExternalCopy<ArrayBuffer>;

/** Jobs that follow each other in one isolate before a fresh one takes its place. */
const MAX_JOBS = 1_000;
/** How much of its memory what earlier jobs left may take. */
const MAX_LEFT = 0.5;
/** Asking costs about as much as a small job. */
const JOBS_BETWEEN_LOOKS = 32;

const WARMING = "(async function (exports) { exports.default = () => [] })";

/** V8 looks for it when it makes a context from a snapshot, and ends the process where it isn't. */
const SPARED = "Atomics";
/** Takes the guest, which the snapshot holds as a global, out of a program's reach; makes `drive(given?)` and `take` of it. */
const GLUE = `(function () { "use strict";
const { finish, late } = globalThis.guest;
delete globalThis.guest;
return {
  late,
  install(log, found) {
    const { begin, step, take } = finish(log, found);
    return {
      drive: (program, ...given) => { if (program !== undefined) begin(program, given); step(); },
      take,
    };
  },
};
})()`;

/** V8, as fast as ever: an isolate for each group, a context for each job. */
export async function isolateEngine(vm: Vm, log: Log, memoryMb: number): Promise<Engine> {
  // A context made from it has had its guest's work done: that takes three times as long as everything else.
  const snapshot = vm.Isolate.createSnapshot([{ code: `globalThis.guest = ${PREPARE}("${SPARED}");` }]);
  let room: Room | null = await warmed(vm, snapshot, log, memoryMb);
  return {
    name: "isolated-vm",
    async start(options) {
      room?.adopt(options.group);
      if (room && (options.group !== room.group || options.memoryMb !== room.memoryMb || room.spent)) {
        await room.dispose();
        room = null;
      }
      room ??= new Room(vm, snapshot, log, options.memoryMb, options.group);
      return room.start(options);
    },
    async refresh() {
      await room?.dispose();
      room = null;
      room = await warmed(vm, snapshot, log, memoryMb);
    },
  };
}

/** An isolate that has run something of ours, and nothing of anybody else. */
async function warmed(vm: Vm, snapshot: Snapshot, log: Log, memoryMb: number): Promise<Room> {
  const room = new Room(vm, snapshot, log, memoryMb, null);
  const job = await room.start({ script: WARMING, scriptName: "", given: ['{"inputs":{},"seed":""}'] });
  await job.step();
  job.end();
  return room;
}

/** An isolate, and what its jobs have in common. */
class Room {
  /** Null while no job has been here. */
  group: number | null;
  readonly memoryMb: number;
  readonly #vm: Vm;
  readonly #isolate: ivm.Isolate;
  readonly #glue: ivm.Script;
  readonly #log: ivm.Callback;
  /** What V8 adds to a context that it makes from the snapshot. */
  readonly #late: string;
  readonly #programs = new Map<string, ivm.Script>();
  readonly #pages: number;
  #jobs = 0;
  #full = false;

  constructor(vm: Vm, snapshot: Snapshot, log: Log, memoryMb: number, group: number | null) {
    this.group = group;
    this.memoryMb = memoryMb;
    this.#vm = vm;
    const before = privatePages();
    this.#isolate = new vm.Isolate({
      memoryLimit: memoryMb,
      snapshot,
      // V8 has lost control of the isolate: so has everybody of the process.
      onCatastrophicError: () => process.abort(),
    });
    this.#pages = privatePages() - before;
    this.#log = new vm.Callback(log, { ignored: true });
    this.#glue = this.#isolate.compileScriptSync(GLUE);
    this.#late = this.#additions();
  }

  get spent(): boolean {
    return this.#full || this.#jobs >= MAX_JOBS;
  }

  adopt(group: number): void {
    this.group ??= group;
  }

  async start({
    script,
    given,
    scriptName,
  }: Pick<StartOptions, "script" | "given" | "scriptName">): Promise<Started> {
    this.#jobs += 1;
    if (this.#jobs % JOBS_BETWEEN_LOOKS === 0) this.#look();
    const program = this.#compiled(script, scriptName);
    const context = this.#isolate.createContextSync();
    const glue = this.#glue.runSync(context, { reference: true });
    const install: ivm.Reference = glue.getSync("install", { reference: true });
    const driver: ivm.Reference = install.applySync(undefined, [this.#log, this.#late], {
      result: { reference: true },
    });
    const drive: ivm.Reference = driver.getSync("drive", { reference: true });
    const take: ivm.Reference = driver.getSync("take", { reference: true });
    for (const reference of [glue, install, driver]) reference.release();
    // Not before the context is what programs may see.
    const main = program.runSync(context, { reference: true });
    const [text, ...buffers] = given;
    const packed = [
      main.derefInto({ release: true }),
      text,
      ...buffers.map((buffer) => new this.#vm.ExternalCopy(buffer).copyInto({ release: true })),
    ];
    let begun = false;
    return {
      async step() {
        // Not synchronous: this thread has to see the channel close, whatever the program computes.
        // A promise that the program rejected and nobody waits for rejects this as well; what counts is what was taken.
        await drive.apply(undefined, begun ? [] : packed).catch(() => undefined);
        begun = true;
        const taken = await take.apply(undefined, [], { result: { copy: true } });
        // The host checks what it is.
        return taken as Taken;
      },
      end() {
        drive.release();
        take.release();
        context.release();
      },
    };
  }

  dispose(): Promise<void> {
    return givingBack(this.#pages, () => this.#isolate.dispose());
  }

  #additions(): string {
    const context = this.#isolate.createContextSync();
    const glue = this.#glue.runSync(context, { reference: true });
    const late: ivm.Reference = glue.getSync("late", { reference: true });
    const found = late.applySync(undefined, []);
    for (const reference of [glue, late]) reference.release();
    context.release();
    return String(found);
  }

  #compiled(source: string, filename: string): ivm.Script {
    const known = this.#programs.get(source);
    if (known) return known;
    const script = this.#isolate.compileScriptSync(source, { filename });
    this.#programs.set(source, script);
    return script;
  }

  #look(): void {
    const { used_heap_size: used, externally_allocated_size: outside } =
      this.#isolate.getHeapStatisticsSync();
    this.#full = used + outside > this.memoryMb * 1_048_576 * MAX_LEFT;
  }
}
