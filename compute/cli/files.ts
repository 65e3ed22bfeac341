import { readFile, rename, writeFile } from "node:fs/promises";
import process from "node:process";
import { type Checkpoint, checkpointToJson, finish, parseCheckpoint } from "../../protocol/index.ts";
import { parseJson } from "./assignment.ts";
import { UsageError } from "./problem.ts";

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
  return finish(parseCheckpoint(await readJsonFile(name)));
}

/** Written beside its place and moved there, so that a checkpoint that was there is never half overwritten. */
export async function saveCheckpoint(name: string, checkpoint: Checkpoint): Promise<void> {
  const beside = `${name}.${process.pid}.tmp`;
  try {
    await writeFile(beside, `${checkpointToJson(checkpoint)}\n`);
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

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const code = "code" in cause ? cause.code : undefined;
  if (code === "ENOENT") return "there is no such file";
  if (code === "EISDIR") return "it is a folder";
  if (code === "EACCES") return "permission denied";
  return cause.message;
}
