/** As much of JSON Schema as samples need. */
interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minItems?: number;
  readonly minimum?: number;
}

/** A workflow as a container may hold it, with one output of that name. */
const workflow = (word: string) => ({
  nodes: [{ id: word, type: "output", data: { name: word } }],
  edges: [],
});

/** The smallest data that a schema plausibly takes, with `word` wherever it wants any string, and lists of one. */
export function sample(schema: Schema, word: string): unknown {
  if (schema.properties?.["nodes"] && schema.properties["edges"]) return workflow(word);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  if (schema.default !== undefined) return schema.default;
  const either = schema.anyOf?.[0] ?? schema.oneOf?.[0];
  if (either) return sample(either, word);
  switch (schema.type) {
    case "string":
      return word;
    case "number":
    case "integer":
      return Math.max(1, schema.minimum ?? 1);
    case "boolean":
      return false;
    case "array":
      return Array.from({ length: schema.minItems ?? 1 }, () => sample(schema.items ?? {}, word));
    case "object":
      return Object.fromEntries(
        (schema.required ?? []).map((key) => [key, sample(schema.properties?.[key] ?? {}, word)]),
      );
    default:
      return null;
  }
}
