import type { Issue, IssueCode } from "../../protocol/index.ts";

/** Beyond this many issues a report helps nobody. */
const MAX_ISSUES = 1_000;

/** Collects issues, so that the author of a workflow is told everything that is wrong with it at once. */
export class Issues {
  readonly list: Issue[] = [];

  add(code: IssueCode, message: string, path: string, place: Partial<Issue> = {}): void {
    if (this.list.length < MAX_ISSUES) this.list.push({ code, message, path, ...place });
  }
}

/** More names than these aren't listed. */
const MAX_NAMED = 12;

/** What there is, for whoever asked for something else by a name. */
export function instead(names: Iterable<string>): string {
  const all = [...names];
  if (all.length === 0) return "it has none";
  const listed = all.slice(0, MAX_NAMED).map((name) => `"${name}"`);
  return `it has ${listed.join(", ")}${all.length > MAX_NAMED ? ", …" : ""}`;
}

/** A JSON Pointer (RFC 6901). */
export function pointer(keys: readonly PropertyKey[]): string {
  return keys.map((key) => `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
