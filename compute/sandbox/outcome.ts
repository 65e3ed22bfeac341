import { NodeflowError, type Value } from "../../protocol/index.ts";
import { LINES_BEFORE } from "./program.ts";
import { type Packed, unpack } from "./values.ts";

/** What one step of a program came to. */
export type Outcome = { readonly done: true } | { readonly done: false; readonly value: Value };

/** What a program threw, as the guest describes it. */
interface Thrown {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly line?: unknown;
  readonly violation?: unknown;
  readonly unfit?: unknown;
}

/** Reads what `take()` gave: from a place where a program may have changed everything. Throws what the program failed with. */
export function readOutcome(taken: unknown, maxBytes: number): Outcome {
  if (!isTaken(taken)) throw new NodeflowError("SANDBOX_VIOLATION", "The program tampered with its sandbox");
  const [state, text, ...buffers] = taken;
  let size = text.length;
  for (const buffer of buffers) size += buffer.byteLength;
  if (size > maxBytes) {
    throw new NodeflowError("OUTPUT_TOO_LARGE", `The program gave a value of more than ${maxBytes} bytes`);
  }
  switch (state) {
    case "done":
      return { done: true };
    case "pending":
      throw new NodeflowError(
        "NODE_FAILED",
        "The program waits for a promise that nothing will ever settle",
        {
          retryable: false,
        },
      );
    case "value":
      return { done: false, value: unpackHostile([text, ...buffers]) };
    default:
      throw thrown(text);
  }
}

function isTaken(taken: unknown): taken is [string, ...Packed] {
  if (!Array.isArray(taken) || typeof taken[0] !== "string" || typeof taken[1] !== "string") return false;
  return taken.slice(2).every((buffer) => buffer instanceof ArrayBuffer);
}

function unpackHostile(packed: Packed): Value {
  try {
    return unpack(packed);
  } catch (cause) {
    throw new NodeflowError("SANDBOX_VIOLATION", "The program tampered with its sandbox", { cause });
  }
}

/** How engines say that there is no more room: V8 and QuickJS. */
const EXHAUSTED =
  /^(?:RangeError: (?:Maximum call stack size exceeded|Invalid (?:string|array|array buffer|typed array) length.*|Array buffer allocation failed|Maximum BigInt size exceeded|BigInt is too (?:big|large).*|Map maximum size exceeded|Set maximum size exceeded)|InternalError: .*|.*out of memory.*)$/i;

/** The error that what a program threw becomes, from the guest's own description of it. */
export function thrown(description: string): NodeflowError {
  let told: Thrown = {};
  try {
    told = (JSON.parse(description) as Thrown | null) ?? {};
  } catch {
    // Described by somebody else than the guest. That it failed is true all the same.
  }
  const name = typeof told.name === "string" ? told.name.slice(0, 128) : "Error";
  const message = typeof told.message === "string" ? told.message.slice(0, 4_096) : "";
  if (told.unfit === true) return new NodeflowError("NODE_FAILED", message, { retryable: false });
  const said = message === "" ? name : `${name}: ${message}`;
  if (told.violation === true) return new NodeflowError("SANDBOX_VIOLATION", message);
  if (EXHAUSTED.test(said)) return new NodeflowError("RESOURCE_EXHAUSTED", said);
  const line = typeof told.line === "number" ? ` (line ${told.line - LINES_BEFORE})` : "";
  return new NodeflowError("NODE_FAILED", said + line);
}
