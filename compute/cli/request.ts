import { type Answer, type ExecuteRequest, finish, parseRequest, type Value } from "../../protocol/index.ts";
import { fileValue, jsonOrText, splitAssignment } from "./assignment.ts";
import { readBytes, readCheckpoint, readJsonFile } from "./files.ts";
import { UsageError } from "./problem.ts";

/** The options of `run` that become part of the request. */
export interface RequestOptions {
  readonly input?: readonly string[];
  readonly answer?: readonly string[];
  readonly checkpoint?: string;
  readonly until?: readonly string[];
  readonly from?: readonly string[];
  readonly seed?: string;
}

/** The request that a file and the options make. What the command line says wins over what the file says. */
export async function buildRequest(file: string, options: RequestOptions): Promise<ExecuteRequest> {
  const posted = finish(parseRequest(await readJsonFile(file)));
  const inputs = await readInputs(options.input ?? []);
  const answers = readAnswers(options.answer ?? [], new Set(posted.workflow.nodes.map((node) => node.id)));
  const { until, from, seed } = options;
  const checkpoint = options.checkpoint === undefined ? undefined : await readCheckpoint(options.checkpoint);
  const chosen = {
    ...(until && { until: [...until] }),
    ...(from && { from: [...from] }),
    ...(seed !== undefined && { seed }),
  };
  const hasOptions = posted.options !== undefined || Object.keys(chosen).length > 0;
  return {
    ...posted,
    ...((posted.inputs || Object.keys(inputs).length > 0) && { inputs: { ...posted.inputs, ...inputs } }),
    ...((posted.answers || Object.keys(answers).length > 0) && {
      answers: { ...posted.answers, ...answers },
    }),
    ...(hasOptions && { options: { outputs: "all" as const, ...posted.options, ...chosen } }),
    ...(checkpoint && { checkpoint }),
  };
}

async function readInputs(given: readonly string[]): Promise<Record<string, Value>> {
  const inputs: Record<string, Value> = {};
  for (const text of given) {
    const [name, value] = splitAssignment("--input", text);
    if (value === "@")
      throw new UsageError(`--input ${text} names no file`, { hint: "Write it as --input NAME=@FILE" });
    const read = value.startsWith("@")
      ? fileValue(value.slice(1), await readBytes(value.slice(1)))
      : jsonOrText(value);
    inputs[name] = read as Value;
  }
  return inputs;
}

/** An answer's name is the path of a node, which may be inside of others: only its first part is known before the run. */
function readAnswers(given: readonly string[], nodes: ReadonlySet<string>): Record<string, Answer> {
  const pairs = given.map((text) => splitAssignment("--answer", text));
  for (const [path] of pairs) {
    const [top = path] = path.split("/", 1);
    if (!nodes.has(top)) throw new UsageError(`--answer ${path}: no node \`${top}\``);
  }
  return Object.fromEntries(pairs.map(([path, value]) => [path, { value: jsonOrText(value) as Value }]));
}
