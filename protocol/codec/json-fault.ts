/** A JSON token after optional white space. Repetitions are written so that long texts don't backtrack. */
const TOKEN =
  /[ \t\n\r]*(?:([{}[\],:])|("[ !#-[\]-\uffff]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[ !#-[\]-\uffff]*)*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null))/y;
const SPACE = /[ \t\n\r]*/y;

type Expected = "value" | "value or end" | "key" | "key or end" | "colon" | "comma or end" | "nothing";

/**
 * The offset of the first character at which a text stops being JSON, or its length if it only ends too early.
 * Engines word their errors in different ways, and not all of them tell the place.
 */
export function jsonFault(text: string): number {
  const open: string[] = [];
  let expected: Expected = "value";
  let at = 0;
  for (;;) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    SPACE.lastIndex = at;
    SPACE.exec(text);
    const start = SPACE.lastIndex;
    if (match === null) return start;
    const next = follow(expected, match[1] ?? (match[2] === undefined ? "scalar" : "string"), open);
    if (next === null) return start;
    expected = next;
    at = TOKEN.lastIndex;
  }
}

/** What may come after a token, or null if the token may not come here. */
function follow(expected: Expected, token: string, open: string[]): Expected | null {
  const after = (): Expected => (open.length === 0 ? "nothing" : "comma or end");
  switch (token) {
    case "{":
    case "[":
      if (!expected.startsWith("value")) return null;
      open.push(token === "{" ? "}" : "]");
      return token === "{" ? "key or end" : "value or end";
    case "}":
    case "]":
      if (!expected.endsWith("or end") || open.at(-1) !== token) return null;
      open.pop();
      return after();
    case ",":
      if (expected !== "comma or end") return null;
      return open.at(-1) === "}" ? "key" : "value";
    case ":":
      return expected === "colon" ? "value" : null;
    case "string":
      if (expected.startsWith("key")) return "colon";
      return expected.startsWith("value") ? after() : null;
    default:
      return expected.startsWith("value") ? after() : null;
  }
}
