import type { Engine } from "../../../compute/engine/index.ts";
import { AddressGuard } from "../../../compute/hosts/address-guard.ts";
import { readEnvironment, type Variables } from "../../../compute/hosts/environment.ts";
import { localEngine } from "../../../compute/hosts/local.ts";
import { nodeOutlet, type Resolve } from "../../../compute/hosts/node-outlet.ts";
import { outgoingNodes } from "../../../compute/hosts/outgoing-nodes.ts";
import { builtinNodes, nodeTypes } from "../../../compute/nodes/index.ts";
import {
  type ExecuteRequestInput,
  type ExecutionUpdate,
  finish,
  fold,
  parseRequest,
  type UpdateOf,
  type Value,
} from "../../../protocol/index.ts";

/** Nodes may call this machine, as users with servers of their own on it allow. */
export const OWN_MACHINE = { NODEFLOW_ALLOW_NETWORKS: "127.0.0.0/8" };

export interface Calling extends AsyncDisposable {
  readonly engine: Engine;
  /** Runs to the end. */
  run(request: object, traceparent?: string): Promise<readonly ExecutionUpdate[]>;
  /** Runs a workflow of one `http` node with these data, and gives its value or its error. */
  call(
    data: object,
    more?: { readonly inputs?: Record<string, Value>; readonly policy?: object },
  ): Promise<Called>;
}

export interface Called {
  readonly updates: readonly ExecutionUpdate[];
  readonly value: Value | undefined;
  readonly error: UpdateOf<"node-failed">["error"] | undefined;
}

/** An engine of Node with its way out. */
export function calling(variables: Variables = OWN_MACHINE, resolve?: Resolve): Calling {
  const environment = readEnvironment(variables);
  const outlet = nodeOutlet(new AddressGuard(environment.outgoing), ...(resolve ? [resolve] : []));
  const types = nodeTypes(builtinNodes, outgoingNodes(outlet, environment));
  const engine = localEngine({ types, limits: environment.limits });

  async function run(request: object, traceparent?: string) {
    const parsed = finish(parseRequest(request as ExecuteRequestInput, { wire: "json" }));
    const options = { secrets: environment.secrets, ...(traceparent && { traceparent }) };
    const updates: ExecutionUpdate[] = [];
    for await (const update of (await engine.prepare(parsed, options)).start()) updates.push(update);
    return updates;
  }
  return {
    engine,
    run,
    async call(data, { inputs = {}, policy = {} } = {}) {
      const nodes = [
        { id: "call", type: "http", data, policy },
        ...Object.entries(inputs).map(([name, value]) => ({
          id: `in-${name}`,
          type: "constant",
          data: { value },
        })),
      ];
      const edges = Object.keys(inputs).map((name) => ({
        source: `in-${name}`,
        target: "call",
        targetHandle: name,
      }));
      const updates = await run({ workflow: { nodes, edges } });
      const failed = updates.findLast((update) => update.type === "node-failed");
      const state = fold(updates);
      return { updates, value: state.nodes.get("call")?.outputs?.["out"], error: failed?.error };
    },
    [Symbol.asyncDispose]: () => outlet.close(),
  };
}
