import { findSecret, Secret, type WorkflowNode } from "../../protocol/index.ts";
import { type Issues, pointer } from "./issues.ts";
import type { NodeType } from "./node-type.ts";
import type { Secrets } from "./secrets.ts";

/** Where secrets stand in the workflow inside a container: they are checked with the nodes there. */
const NESTED_DATA = "/workflow/nodes/*/data/**";

interface Named {
  readonly keys: readonly string[];
  readonly name: string;
}

/**
 * Whether every secret in a node's data stands in a field that its type marks, and is one that this caller has. Where it
 * may go is checked by `checkDestination` once the data are known to be right.
 */
export function checkSecrets(
  node: WorkflowNode,
  type: NodeType,
  secrets: Secrets,
  path: string,
  issues: Issues,
): boolean {
  if (node.data == null || findSecret(node.data) === null) return true;
  const marked = (type.nested ? [NESTED_DATA] : []).concat(type.secrets ?? []).map((text) => text.split("/"));
  let right = true;
  for (const { keys, name } of secretsIn(node.data)) {
    const allowed = marked.find((pattern) => matches(pattern, keys));
    const what = allowed
      ? secrets.has(name) || type.nested
        ? null
        : `there is no secret "${name}" for this caller here`
      : "a secret can't stand here";
    if (what === null) continue;
    issues.add("INVALID_NODE_DATA", `Node "${node.id}": ${what}`, `${path}/data${pointer(keys)}`, {
      nodeId: node.id,
    });
    right = false;
  }
  return right;
}

/** Whether the secrets of a node may go where its data say that they go. Where that depends on inputs, nobody knows yet. */
export function checkDestination<Data>(
  node: WorkflowNode,
  type: NodeType<Data>,
  data: Data,
  secrets: Secrets,
  path: string,
  issues: Issues,
): void {
  if (!type.destination || node.data == null || findSecret(node.data) === null) return;
  const origin = type.destination(data);
  if (origin === null) return;
  for (const { keys, name } of secretsIn(node.data)) {
    if (secrets.reveal(name, origin) !== null) continue;
    const message = `Node "${node.id}": the secret "${name}" may not go to ${origin}`;
    issues.add("INVALID_NODE_DATA", message, `${path}/data${pointer(keys)}`, { nodeId: node.id });
  }
}

/** The secrets in a value, in the order in which they stand there. */
function* secretsIn(value: unknown): Generator<Named> {
  const pending: [value: unknown, keys: readonly string[]][] = [[value, []]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [inner, keys] = next;
    if (inner instanceof Secret) yield { keys, name: inner.name };
    else if (typeof inner === "object" && inner !== null && !(inner instanceof Uint8Array)) {
      for (const key of Object.keys(inner).reverse()) {
        const child: unknown = Reflect.get(inner, key);
        if (typeof child === "object" && child !== null) pending.push([child, [...keys, key]]);
      }
    }
  }
}

/** `*` stands for any one key, `**` at the end for any that follow. Patterns begin with a slash, so with an empty part. */
function matches([, ...pattern]: readonly string[], keys: readonly string[]): boolean {
  const open = pattern.at(-1) === "**";
  const parts = open ? pattern.slice(0, -1) : pattern;
  if (open ? keys.length <= parts.length : keys.length !== parts.length) return false;
  return parts.every((part, at) => part === "*" || part === keys[at]);
}
