import { DEFAULT_LIMITS } from "../../protocol/index.ts";
import type { NodeTypes, Runner, Secrets } from "../engine/index.ts";
import { builtinNodes, nodeTypes } from "../nodes/index.ts";
import { createNodeSandbox } from "../sandbox/node/sandbox.ts";
import { AddressGuard } from "./address-guard.ts";
import { readSecrets } from "./host-secrets.ts";
import { nodeOutlet } from "./node-outlet.ts";
import { poolRunner } from "./node-pool.ts";
import { readOutgoing } from "./outgoing.ts";
import { outgoingNodes } from "./outgoing-nodes.ts";
import { readPool } from "./pool-rules.ts";
import { sandboxNodes } from "./sandbox-nodes.ts";
import { reader, type Variables } from "./variable.ts";

/** What a program on Node that runs workflows itself has of its machine. */
export interface LocalMachine extends AsyncDisposable {
  /** Every node type that Node has. */
  readonly types: NodeTypes;
  /** Where they run: heavy ones in processes of their own. */
  readonly runner: Runner;
  /** All of the machine's: whoever runs the program owns them. */
  readonly secrets: Secrets;
  /** Ends the processes and closes the connections. Runs under way fail. */
  close(): Promise<void>;
}

/**
 * The machine as the variables open it: the same as those of a service, and guarded like one, because a workflow may be a
 * stranger's wherever it runs. Throws an `EnvironmentError`.
 */
export function localMachine(variables: Variables): LocalMachine {
  const read = reader(variables);
  const outgoing = readOutgoing(read);
  const outlet = nodeOutlet(new AddressGuard(outgoing));
  const pool = poolRunner(readPool(read));
  // Its processes are started when a workflow needs them.
  const sandbox = createNodeSandbox();
  async function close(): Promise<void> {
    await outlet.close();
    await Promise.all([pool.close(), sandbox.close()]);
  }
  return {
    runner: pool,
    types: nodeTypes(
      builtinNodes,
      outgoingNodes(outlet, { outgoing, limits: DEFAULT_LIMITS }),
      sandboxNodes(sandbox),
    ),
    secrets: readSecrets(variables, read),
    close,
    [Symbol.asyncDispose]: close,
  };
}
