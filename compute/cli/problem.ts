import { type ErrorInfo, type Issue, NodeflowError } from "../../protocol/index.ts";

/** Exit codes of the command. */
export const EXIT = { completed: 0, failed: 1, usage: 2, suspended: 3, cancelled: 130 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Something the caller of the command can put right: what is wrong, where, and what to change. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly hint: string | undefined;

  constructor(message: string, options: { readonly hint?: string; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.hint = options.hint;
  }
}

/** Control characters of ids, messages and texts must not reach a terminal: they could rewrite what it shows. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, "\uFFFD");
}
const UNPRINTABLE = /(?![\t\n])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** What standard error shows of an error: a line that says what is wrong, then where and what to change. */
export function explain(error: unknown): string[] {
  if (error instanceof UsageError) {
    return [
      `error: ${printable(error.message)}`,
      ...(error.hint === undefined ? [] : [`  ${printable(error.hint)}`]),
    ];
  }
  if (error instanceof NodeflowError) return explainInfo(error.toJSON());
  return [`error: ${printable(error instanceof Error ? error.message : String(error))}`];
}

export function explainInfo(error: ErrorInfo): string[] {
  const where = error.nodeId === undefined ? "" : ` (node ${error.nodeId})`;
  const places = placesOf(error.details);
  if (places.length === 0) {
    return [printable(`error: ${error.code}: ${error.message}${where}`), ...answerOf(error.details)];
  }
  const count = places.length === 1 ? "1 problem" : `${places.length} problems`;
  return [
    `error: ${error.code}: ${count}`,
    ...places.map((place) => printable(`  ${place}`)),
    ...hints(error.details as readonly Partial<Issue>[]).map((hint) => `  ${hint}`),
  ];
}

/** What to change outside of the workflow, where that is what its issues ask for. */
export function hints(issues: readonly Partial<Issue>[]): string[] {
  const found = HINTS.filter(([applies]) => issues.some((issue) => applies(issue)));
  return found.map(([, hint]) => `hint: ${hint}`);
}
const HINTS: readonly [applies: (issue: Partial<Issue>) => boolean, hint: string][] = [
  [
    ({ code, path }) => code === "INPUT_MISSING" && TOP_LEVEL.test(path ?? ""),
    "inputs are given by --input NAME=VALUE, or NAME=@FILE",
  ],
  [
    ({ message }) => SECRET.test(message ?? ""),
    "NODEFLOW_SECRET_NAME is the secret NAME, NODEFLOW_SECRET_NAME_ORIGINS says where it may go; a service gives it only to tokens that NODEFLOW_TOKEN_SECRETS names",
  ],
];
const TOP_LEVEL = /^\/workflow\/nodes\/\d+$/;
const SECRET = /: (there is no|the) secret "/;

/** Characters that are shown of the answer that an error was made of. */
const ANSWER_CHARS = 200;

/** What somebody who was called said along with a status that is no success. */
function answerOf(details: unknown): string[] {
  if (typeof details !== "object" || details === null || !("body" in details)) return [];
  const { body } = details;
  if (typeof body !== "string") return [];
  const said = body.replaceAll(/\s+/gu, " ").trim();
  if (said === "") return [];
  return [printable(`  it said: ${said.slice(0, ANSWER_CHARS)}${said.length > ANSWER_CHARS ? "…" : ""}`)];
}

/** One issue as a line: where, which node, what. */
export function explainIssue(issue: Issue): string {
  const { nodeId, edgeId, message } = issue;
  // Most messages name their node themselves.
  const named = nodeId !== undefined && message.includes(`"${nodeId}"`);
  const node = nodeId === undefined || named ? "" : ` node ${nodeId}:`;
  const edge = nodeId === undefined && edgeId !== undefined ? ` edge ${edgeId}:` : "";
  return printable(`${issue.path}${node}${edge} ${message} (${issue.code})`);
}

/** The exit code that an error stands for. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof NodeflowError && error.status >= 400 && error.status < 500) {
    return REQUEST_ERRORS.has(error.code) ? EXIT.usage : EXIT.failed;
  }
  return EXIT.failed;
}

const REQUEST_ERRORS = new Set<string>([
  "INVALID_REQUEST",
  "UNAUTHENTICATED",
  "FORBIDDEN",
  "NOT_FOUND",
  "PAYLOAD_TOO_LARGE",
  "UNSUPPORTED_MEDIA_TYPE",
  "INVALID_WORKFLOW",
]);

/** Errors carry their places as issues, or as `{path, message}` where the outer shape of a request is wrong. */
function placesOf(details: unknown): string[] {
  if (!Array.isArray(details)) return [];
  return details.flatMap((detail: unknown) => {
    if (typeof detail !== "object" || detail === null) return [];
    const { path, message } = detail as { path?: unknown; message?: unknown };
    if (typeof path !== "string" || typeof message !== "string") return [];
    return "code" in detail
      ? [explainIssue(detail as Issue)]
      : [`${path === "" ? "The request" : path} ${message}`];
  });
}
