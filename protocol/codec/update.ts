import { NodeflowError } from "../error.ts";
import { ExecutionUpdate } from "../update.ts";
import { mark, markRecord } from "./mark.ts";
import type { Wire } from "./marker.ts";
import { unmark } from "./unmark.ts";

/** An update as it is written on a wire. Only some fields hold values; the others are the same everywhere. */
export function markUpdate(update: ExecutionUpdate, wire: Wire): object {
  switch (update.type) {
    case "node-output": {
      const value = mark(update.value, wire);
      return value === update.value ? update : { ...update, value };
    }
    case "input-requested": {
      const args = mark(update.args, wire);
      if (update.schema === undefined) return args === update.args ? update : { ...update, args };
      return { ...update, args, schema: mark(update.schema, wire) };
    }
    case "execution-completed": {
      const outputs = markRecord(update.outputs, wire);
      return outputs === update.outputs ? update : { ...update, outputs };
    }
    default:
      return update;
  }
}

const TYPES: ReadonlySet<unknown> = new Set(ExecutionUpdate.options.map((option) => option.shape.type.value));

/**
 * Reads what a wire has brought, which it takes over. Null for types of later versions, which readers ignore; throws
 * `INVALID_REQUEST` for what isn't an update.
 */
export function readUpdate(raw: unknown, wire: Wire): ExecutionUpdate | null {
  if (typeof raw !== "object" || raw === null)
    throw new NodeflowError("INVALID_REQUEST", "An update is not an object");
  const fields = raw as Record<string, unknown>;
  if (typeof fields["type"] === "string" && !TYPES.has(fields["type"])) return null;
  switch (fields["type"]) {
    case "node-output":
      fields["value"] = unmark(fields["value"], { wire, pointer: "/value" });
      break;
    case "input-requested":
      fields["args"] = unmark(fields["args"], { wire, pointer: "/args" });
      if ("schema" in fields) fields["schema"] = unmark(fields["schema"], { wire, pointer: "/schema" });
      break;
    case "execution-completed":
      if (typeof fields["outputs"] === "object" && fields["outputs"] !== null) {
        unmarkRecord(fields["outputs"], wire, "/outputs");
      }
      break;
  }
  const parsed = ExecutionUpdate.safeParse(fields);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const message = `An update is malformed: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`;
  throw new NodeflowError("INVALID_REQUEST", message);
}

/** Reads the values of a record by name, in place. */
function unmarkRecord(record: object, wire: Wire, pointer: string): void {
  const values = record as Record<string, unknown>;
  for (const name of Object.keys(values)) {
    if (name === "__proto__")
      throw new NodeflowError("INVALID_REQUEST", `${pointer}: the key __proto__ is refused`);
    values[name] = unmark(values[name], { wire, pointer: `${pointer}/${name}` });
  }
}
