import { z } from "zod";
import { defineNode, type NodeContext, type NodeType } from "../engine/index.ts";
import { compileProgram, type Sandbox, SourceError } from "../sandbox/index.ts";
import { type Asked, bounds, emissionsIn, placeIn, type SandboxLimits } from "./sandboxed.ts";

/** A source is compiled when it is posted, so that what is wrong with it is known before anything runs. */
const source = z.string("must be JavaScript").superRefine((text, context) => {
  try {
    compileProgram(text);
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    context.addIssue({ code: "custom", message: error.message });
  }
});

function dataOf(limits?: SandboxLimits) {
  return z.object({
    source: source.describe(
      "A JavaScript module; it is called with the inputs by their handles, e.g. ({ in: x }) => x + 1",
    ),
    stream: z
      .boolean("must be true or false")
      .optional()
      .describe("Give the elements of what it gives, one by one"),
    ...bounds(limits),
  });
}
type Data = z.infer<ReturnType<typeof dataOf>>;

/** JavaScript, in a sandbox of the host. */
export function codeNode(sandbox: Sandbox, limits?: SandboxLimits): NodeType<Data> {
  return defineNode<Data>({
    type: "code",
    description: "What a JavaScript function makes of its inputs, out of reach of everything else",
    data: dataOf(limits),
    cost: "heavy",
    strongest: "pure",
    handles: ({ stream }) => ({ inputs: { "*": {} }, outputs: { out: stream ? "items" : "value" } }),
    effect: () => "pure",
    place: (context) => placeIn(sandbox, context, askedOf(context)),
    execute: (context) => emissionsIn(sandbox, context, askedOf(context)),
  });
}

function askedOf({ data, inputs }: NodeContext<Data>): Asked {
  const { source, stream = false, memoryMb, timeoutMs } = data;
  return { program: compileProgram(source), inputs, stream, memoryMb, timeoutMs };
}
