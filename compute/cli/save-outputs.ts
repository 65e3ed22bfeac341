import type { ExecutionResult, Workflow } from "../../protocol/index.ts";
import { splitAssignment } from "./assignment.ts";
import { checkWritable, saveValue } from "./files.ts";
import { UsageError } from "./problem.ts";

/** Which results go to which files: `--output NAME=FILE`, by name. */
export type OutputFiles = ReadonlyMap<string, string>;

/** Reads the option, and refuses before the run what would fail after it. */
export async function outputFiles(given: readonly string[], workflow: Workflow): Promise<OutputFiles> {
  const files = new Map(given.map((text) => splitAssignment("--output", text)));
  const names = workflow.nodes.filter((node) => node.type === "output").map(({ data }) => nameOf(data));
  for (const [name, file] of files) {
    if (!names.includes(name)) {
      const hint = names.length > 0 ? `It has ${names.join(", ")}` : "It has no output nodes";
      throw new UsageError(`--output ${name}: the workflow has no output of that name`, { hint });
    }
    if (file === "") {
      throw new UsageError(`--output ${name}= names no file`, { hint: "Write it as --output NAME=FILE" });
    }
    await checkWritable(file);
  }
  return files;
}

/** Writes what the run gave. An output that was skipped leaves its file alone; its name is in what is returned. */
export async function saveOutputs(
  files: OutputFiles,
  { outputs }: ExecutionResult,
): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const [name, file] of files) {
    const value = outputs[name];
    if (value === undefined) missing.push(name);
    else await saveValue(file, value);
  }
  return missing;
}

function nameOf(data: unknown): string {
  const name = (data as { readonly name?: unknown } | null | undefined)?.name;
  return typeof name === "string" ? name : "";
}
