import { NodeflowError } from "../../../protocol/index.ts";

/** What an expression did wrong, or too much of. */
export function failure(message: string): NodeflowError {
  return new NodeflowError("EXPRESSION_ERROR", message);
}
