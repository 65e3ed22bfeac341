/** A child: runs the jobs that come over its channel, one at a time, until the channel closes or somebody kills it. */
import { Buffer } from "node:buffer";
import { Socket } from "node:net";
import process from "node:process";
import { SCRIPT_NAME } from "../../script-name.ts";
import { encodeFrame, type Frame, FrameReader } from "../frame.ts";
import type { Order, Word } from "../message.ts";
import type { Log, Started, Taken } from "./engine.ts";
import { isolateEngine } from "./isolate.ts";
import { quickjsEngine } from "./quickjs.ts";

const CHANNEL = 3;
/** Whoever sends orders is trusted. */
const MAX_ORDER_BYTES = 2 ** 31;

const channel = new Socket({ fd: CHANNEL, readable: true, writable: true });
const say = (word: Word, parts: readonly (string | ArrayBuffer)[] = []) =>
  void channel.write(encodeFrame(word, parts));
// Leaving in order would wait for an isolate that computes, for ever.
const leave = () => process.kill(process.pid, "SIGKILL");
channel.on("close", leave);
channel.on("end", leave);
channel.on("error", leave);

// A child that could do more than it must is not used: the host reads this as a child that doesn't start.
for (const scope of ["fs.write", "child", "worker"]) {
  if (process.permission.has(scope)) throw new Error(`This process may ${scope}`);
}

const memoryMb = Number(process.argv[2]);
const log: Log = (level, message) => say({ type: "log", level, message });
// Optional: where it can't be installed, programs are slower.
const vm = process.argv[3] === "quickjs" ? null : await import("isolated-vm").catch(() => null);
const engine = vm ? await isolateEngine(vm.default, log, memoryMb) : await quickjsEngine(log);

let scripts: string[] = [];
let group = -1;
let job: Started | null = null;
let maxBytes = 0;
let stream = false;

async function obey({ header, parts }: Frame): Promise<void> {
  const order = header as Order;
  if (order.type === "end") {
    endJob();
    return;
  }
  try {
    if (order.type === "refresh") await engine.refresh();
    if (order.type === "start") job = await begin(order, parts);
    if (job) answer(await job.step());
  } catch (error) {
    fail(error);
  }
}

function begin(order: Order & { type: "start" }, parts: Frame["parts"]): Promise<Started> {
  if (order.group !== group) {
    group = order.group;
    scripts = [];
  }
  const rest = [...parts];
  const text = () => Buffer.from(rest.shift()?.buffer ?? new ArrayBuffer(0)).toString();
  if (order.scripted) scripts[order.program] = text();
  const script = scripts[order.program];
  if (script === undefined) throw new Error("There is no such program");
  ({ maxBytes, stream } = order);
  const { memoryMb } = order;
  const given = [text(), ...rest.map((part) => part.buffer)] as const;
  return engine.start({ group, script, scriptName: SCRIPT_NAME, given, memoryMb });
}

function answer(taken: Taken): void {
  const [state, text, ...buffers] = taken;
  if (state !== "value" || !stream) endJob();
  let size = text.length;
  for (const buffer of buffers) size += buffer.byteLength;
  if (size > maxBytes) say({ type: "large" });
  else say({ type: "taken", state }, [text, ...buffers]);
}

function endJob(): void {
  job?.end();
  job = null;
}

function fail(error: unknown): void {
  job = null;
  // The program may have put something strange where the guest keeps its result; anything else is the engine's own end.
  const exhausted = error instanceof Error && /disposed|memory/i.test(error.message);
  if (exhausted) say({ type: "exhausted" });
  else say({ type: "taken", state: "broken" }, ["null"]);
}

const reader = new FrameReader(MAX_ORDER_BYTES);
let turn = Promise.resolve();
channel.on("data", (chunk: Buffer) => {
  for (const frame of reader.push(chunk)) turn = turn.then(() => obey(frame));
});
say({ type: "ready", engine: engine.name });
