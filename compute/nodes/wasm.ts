import { z } from "zod";
import { fromBase64, NodeflowError, type Value } from "../../protocol/index.ts";
import { defineNode, type NodeContext, type NodeType, type Runtime } from "../engine/index.ts";
import {
  bigParameters,
  boundWasm,
  PAGE_BYTES,
  type Sandbox,
  WASM_PROGRAM,
  WasmError,
} from "../sandbox/index.ts";
import { type Asked, bounds, emissionsIn, placeIn, type SandboxLimits } from "./sandboxed.ts";
import { renderValue, templateValue } from "./template-text.ts";

/** Workers compile no WebAssembly that comes at run time. */
const HOSTS: readonly Runtime[] = ["node", "browser"];
const PAGES_PER_MB = 1_048_576 / PAGE_BYTES;

function dataOf(limits?: SandboxLimits) {
  return z
    .object({
      module: z
        .string("must be base64")
        .optional()
        .describe("The module in base64; without it, bytes on `module`"),
      call: z.string("must be a string").min(1, "must not be empty").describe("The export that is called"),
      args: z
        .array(templateValue, "must be a list")
        .optional()
        .describe("Numbers and bytes; the value on `in` without it"),
      ...bounds(limits),
    })
    .superRefine(({ module, memoryMb }, context) => {
      const problem = module === undefined ? null : moduleProblem(module, memoryMb);
      if (problem !== null) context.addIssue({ code: "custom", message: problem, path: ["module"] });
    });
}
type Data = z.infer<ReturnType<typeof dataOf>>;

/** WebAssembly, in a sandbox of the host. */
export function wasmNode(sandbox: Sandbox, limits?: SandboxLimits): NodeType<Data> {
  return defineNode<Data>({
    type: "wasm",
    description: "What a WebAssembly function makes of numbers and bytes",
    data: dataOf(limits),
    cost: "heavy",
    strongest: "pure",
    hosts: HOSTS,
    handles: ({ module }) => ({
      inputs: module === undefined ? { module: { required: true }, "*": {} } : { "*": {} },
      outputs: { out: "value" },
    }),
    effect: () => "pure",
    place: async (context) => placeIn(sandbox, context, askedOf(context)),
    execute: (context) => emissionsIn(sandbox, context, askedOf(context)),
  });
}

function moduleProblem(text: string, memoryMb: number): string | null {
  const bytes = fromBase64(text);
  if (!bytes) return "is not base64";
  try {
    boundWasm(bytes, memoryMb * PAGES_PER_MB);
    return null;
  } catch (error) {
    if (error instanceof WasmError) return error.message;
    throw error;
  }
}

function askedOf({ data, inputs }: NodeContext<Data>): Asked {
  const { call, memoryMb, timeoutMs } = data;
  const given = data.args === undefined ? (inputs["in"] ?? []) : renderValue(data.args as Value, inputs);
  const args = (Array.isArray(given) ? given : [given]).map(checked);
  const module = moduleOf(data, inputs);
  const bigs = bigParameters(module, call) ?? [];
  checkWhole(args, bigs);
  return { program: WASM_PROGRAM, inputs: { module, call, args, bigs }, stream: false, memoryMb, timeoutMs };
}

function moduleOf(data: Data, inputs: Readonly<Record<string, Value>>): Uint8Array {
  const bytes = data.module === undefined ? inputs["module"] : fromBase64(data.module);
  if (!(bytes instanceof Uint8Array))
    throw new NodeflowError("INVALID_INPUT", "The input module must be bytes");
  try {
    return boundWasm(bytes, data.memoryMb * PAGES_PER_MB);
  } catch (cause) {
    if (!(cause instanceof WasmError)) throw cause;
    throw new NodeflowError("INVALID_INPUT", `The module ${cause.message}`, { cause });
  }
}

function checked(arg: Value, at: number): number | Uint8Array {
  if (typeof arg === "number" || arg instanceof Uint8Array) return arg;
  throw new NodeflowError("INVALID_INPUT", `Argument ${at + 1} must be a number or bytes`);
}

/** Bytes take two parameters. */
function checkWhole(args: readonly (number | Uint8Array)[], bigs: readonly boolean[]): void {
  let parameter = 0;
  for (const [at, arg] of args.entries()) {
    if (bigs[parameter] && typeof arg === "number" && !Number.isSafeInteger(arg)) {
      throw new NodeflowError("INVALID_INPUT", `Argument ${at + 1} must be a whole number`);
    }
    parameter += typeof arg === "number" ? 1 : 2;
  }
}
