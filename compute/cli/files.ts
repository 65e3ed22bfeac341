import { access, constants, readFile, rename, stat, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import process from "node:process";
import {
  type Checkpoint,
  checkpointToJson,
  encodeJson,
  finish,
  NodeflowError,
  parseCheckpoint,
  type Value,
} from "../../protocol/index.ts";
import { parseJson } from "./assignment.ts";
import { explain, UsageError } from "./problem.ts";

/** Reads a file, or standard input for `-`. */
export async function readBytes(name: string): Promise<Uint8Array> {
  try {
    return name === "-" ? await readStdin() : await readFile(name);
  } catch (cause) {
    throw new UsageError(`${name} can't be read: ${reasonOf(cause)}`, { cause });
  }
}

/** Reads JSON from a file, or from standard input for `-`. */
export async function readJsonFile(name: string): Promise<unknown> {
  const text = new TextDecoder().decode(await readBytes(name));
  return parseJson(text, name === "-" ? "standard input" : name);
}

export async function readCheckpoint(name: string): Promise<Checkpoint> {
  const json = await readJsonFile(name);
  try {
    return finish(parseCheckpoint(json));
  } catch (cause) {
    if (!(cause instanceof NodeflowError)) throw cause;
    const [, ...places] = explain(cause);
    const hint = ["Checkpoints are what --save-checkpoint writes", ...places].join("\n");
    throw new UsageError(`${name} is not a checkpoint`, { hint, cause });
  }
}

export async function saveCheckpoint(name: string, checkpoint: Checkpoint): Promise<void> {
  await save(name, `${checkpointToJson(checkpoint)}\n`);
}

/** Bytes and text as they are, anything else as JSON. */
export async function saveValue(name: string, value: Value): Promise<void> {
  const plain = typeof value === "string" || value instanceof Uint8Array;
  await save(name, plain ? value : `${encodeJson(value)}\n`);
}

/** Fails early where nothing could be written later, when the work has been done. */
export async function checkWritable(name: string): Promise<void> {
  try {
    await access(dirname(resolve(name)), constants.W_OK);
  } catch (cause) {
    throw new UsageError(`${name} can't be written: ${reasonOf(cause, "there is no such folder")}`, {
      cause,
    });
  }
  const there = await stat(name).catch(() => null);
  if (there?.isDirectory()) throw new UsageError(`${name} can't be written: it is a folder`);
}

/** Written beside its place and moved there, so that what was there is never half overwritten. */
async function save(name: string, content: string | Uint8Array): Promise<void> {
  const beside = `${name}.${process.pid}.tmp`;
  try {
    await writeFile(beside, content);
    await rename(beside, name);
  } catch (cause) {
    throw new UsageError(`${name} can't be written: ${reasonOf(cause)}`, { cause });
  }
}

async function readStdin(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

function reasonOf(cause: unknown, missing = "there is no such file"): string {
  if (!(cause instanceof Error)) return String(cause);
  const code = "code" in cause ? cause.code : undefined;
  if (code === "ENOENT") return missing;
  if (code === "EISDIR") return "it is a folder";
  if (code === "EACCES") return "permission denied";
  return cause.message;
}
