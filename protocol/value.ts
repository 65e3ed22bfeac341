/**
 * What flows along edges: JSON values and bytes. Values are immutable: inside a process they are shared, not cloned,
 * so whoever receives one must not change it.
 */
export type Value =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly Value[]
  | { readonly [key: string]: Value };

/** An object value, as opposed to a list or bytes. */
export type ValueObject = { readonly [key: string]: Value };

/**
 * The kind of an output handle. It fixes how emissions fold into the handle's value:
 * `value` replaces, `text` and `bytes` extend, `items` adds one element to a list.
 */
export type Kind = "value" | "text" | "bytes" | "items";

/** How one emission changes the fold of its handle. */
export type Mode = "set" | "append" | "item";

export const modeOf: Readonly<Record<Kind, Mode>> = {
  value: "set",
  text: "append",
  bytes: "append",
  items: "item",
};

/** True for an object value: not null, not a list, not bytes. */
export function isObject(value: unknown): value is ValueObject {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  );
}
