/** The JSON Pointer (RFC 6901) of a key or index inside `pointer`. */
export function pointerTo(pointer: string, key: string | number): string {
  if (typeof key === "number") return `${pointer}/${key}`;
  return `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

/** Where, inside `value`, the first thing stands that `matches`: a JSON Pointer relative to it, or null. Never recurses. */
export function locate(value: unknown, matches: (inner: unknown) => boolean): string | null {
  const pending: [value: unknown, pointer: string][] = [[value, ""]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [inner, pointer] = next;
    if (matches(inner)) return pointer;
    if (typeof inner !== "object" || inner === null || inner instanceof Uint8Array) continue;
    for (const key of Object.keys(inner).reverse()) {
      const child: unknown = Reflect.get(inner, key);
      if (typeof child === "object" && child !== null) pending.push([child, pointerTo(pointer, key)]);
    }
  }
  return null;
}
