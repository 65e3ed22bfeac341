import type { ExecuteRequest, ExecuteRequestInput, Workflow } from "../../protocol/index.ts";

const KEYS = ["workflow", "inputs", "options", "checkpoint", "answers"];

/** A request, given as one or as a workflow itself. What is wrong with it is for the executor to say. */
export function asRequest(given: ExecuteRequestInput | Workflow): ExecuteRequest {
  const bare = "nodes" in given && !KEYS.some((key) => Object.hasOwn(given, key));
  const request = (bare ? { workflow: given } : given) as ExecuteRequestInput;
  const { workflow, options, ...rest } = request;
  return {
    ...rest,
    workflow: { ...workflow, edges: workflow?.edges ?? [] },
    ...(options && { options: { ...options, outputs: options.outputs ?? "all" } }),
  };
}
