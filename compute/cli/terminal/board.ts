import type { ErrorInfo, ExecutionUpdate, SkipReason, Workflow } from "../../../protocol/index.ts";
import { isDecoration, isObject } from "../../../protocol/index.ts";
import { glimpse } from "./glimpse.ts";

/** Characters of streamed text that are kept for showing its end. */
const MAX_TAIL = 2_000;

export type RowStatus = "waiting" | "running" | "asking" | "completed" | "failed" | "skipped" | "reused";

/** What the board knows of one top-level node. */
export interface Row {
  readonly id: string;
  readonly type: string;
  /** What the node is called where it was drawn. */
  readonly label: string;
  /** Attempts that were begun again only because a question had been answered. */
  answered: number;
  status: RowStatus;
  attempt: number;
  startedAt: number;
  durationMs: number | null;
  /** Scopes (items, iterations) of a container, or the nodes inside of one that has none. */
  inside: { begun: number; completed: number; scopes: boolean };
  progress: { completed: number; total: number | null; message: string | null } | null;
  /** The end of the text that it has streamed, and the items that it has emitted. */
  text: string;
  items: number;
  /** A value that is neither text nor a list, in short. */
  value: string;
  question: string | null;
  skipped: SkipReason | null;
  error: ErrorInfo | null;
}

/** What a terminal shows of a run: one row per top-level node, whatever happens inside. */
export interface Board {
  readonly title: string;
  readonly rows: readonly Row[];
  startedAt: number | null;
  /** How long the run took, as it says itself; null as long as it goes on. */
  durationMs: number | null;
  /** Above the rows, e.g. while a connection is being made again. */
  notice: string | null;
}

/** A board on which nothing has happened, in the order in which things can happen. */
export function emptyBoard(workflow: Workflow, title: string): Board {
  return { title, rows: inOrder(workflow).map(newRow), startedAt: null, durationMs: null, notice: null };
}

/** Where a board's rows are, and what feeds them. Kept beside the board so that an update costs the same on any graph. */
export class Score {
  readonly board: Board;
  readonly #rows: ReadonlyMap<string, Row>;
  readonly #feeds: ReadonlyMap<string, readonly string[]>;

  constructor(workflow: Workflow, title: string) {
    this.board = emptyBoard(workflow, title);
    this.#rows = new Map(this.board.rows.map((row) => [row.id, row]));
    const feeds = new Map<string, string[]>();
    for (const { source, target } of workflow.edges)
      feeds.set(target, [...(feeds.get(target) ?? []), source]);
    this.#feeds = feeds;
  }

  /** Items that a row will have to work through, where that is known: its one source has completed. */
  expected(row: Row): number | null {
    const sources = this.#feeds.get(row.id) ?? [];
    const [source] = sources;
    if (source === undefined || sources.length > 1) return null;
    const feeding = this.#rows.get(source);
    return feeding?.status === "completed" && feeding.items > 0 ? feeding.items : null;
  }

  note(update: ExecutionUpdate): void {
    if (update.type === "execution-started") this.board.startedAt = update.timestamp;
    if ("metrics" in update) this.board.durationMs = update.metrics.durationMs;
    if (!("nodeId" in update)) return;
    const slash = update.nodeId.indexOf("/");
    if (slash < 0) {
      const row = this.#rows.get(update.nodeId);
      if (row) noteRow(row, update);
      return;
    }
    const row = this.#rows.get(update.nodeId.slice(0, slash));
    if (row) noteInside(row, update, update.nodeId.indexOf("/", slash + 1) < 0);
  }
}

function noteRow(row: Row, update: Extract<ExecutionUpdate, { nodeId: string }>): void {
  switch (update.type) {
    case "node-started":
      begin(row);
      row.status = "running";
      row.attempt = update.attempt;
      row.startedAt = update.timestamp;
      return;
    case "node-output":
      if (update.mode === "item") row.items += 1;
      else if (typeof update.value === "string")
        row.text = tailOf(row, update.value, update.mode === "append");
      else if (Array.isArray(update.value)) row.items = update.value.length;
      else row.value = glimpse(update.value);
      return;
    case "node-progress":
      row.progress = {
        completed: update.completed,
        total: update.total ?? null,
        message: update.message ?? null,
      };
      return;
    case "node-completed":
      row.status = "completed";
      row.durationMs = update.durationMs;
      row.question = null;
      return;
    case "node-failed":
      row.error = update.error;
      if (!update.willRetry) row.status = "failed";
      return;
    case "node-reset":
      begin(row);
      row.attempt = update.attempt - 1;
      return;
    case "node-skipped":
      row.status = "skipped";
      row.skipped = update.reason;
      return;
    case "node-reused":
      row.status = "reused";
      return;
    case "input-requested":
      row.status = "asking";
      row.question = update.tool;
      return;
  }
}

/** `direct`: right under the row's node, where scopes stand, or the nodes of a container without scopes. */
function noteInside(row: Row, update: Extract<ExecutionUpdate, { nodeId: string }>, direct: boolean): void {
  if (update.type === "input-requested") row.question = update.tool;
  if (!direct) return;
  if (update.type === "node-started") {
    row.inside.begun += 1;
    if (update.item !== undefined) row.inside.scopes = true;
  } else if (update.type === "node-completed" || update.type === "node-reused") {
    row.inside.completed += 1;
  }
}

function tailOf(row: Row, text: string, append: boolean): string {
  return (append ? row.text + text : text).slice(-MAX_TAIL);
}

function newRow({ id, type, data }: Workflow["nodes"][number]): Row {
  const label = isObject(data) && typeof data["label"] === "string" ? data["label"] : "";
  return { id, type: type ?? "", label: label === id ? "" : label, answered: 0, ...untouched() };
}

/** As if nothing had happened yet, but for questions: being answered is no failure. */
function begin(row: Row): void {
  if (row.question !== null) row.answered += 1;
  Object.assign(row, untouched());
}

function untouched(): Omit<Row, "id" | "type" | "label" | "answered"> {
  return {
    status: "waiting",
    attempt: 0,
    startedAt: 0,
    durationMs: null,
    inside: { begun: 0, completed: 0, scopes: false },
    progress: null,
    text: "",
    items: 0,
    value: "",
    question: null,
    skipped: null,
    error: null,
  };
}

/** Nodes so that what feeds others comes first; otherwise as drawn. Nodes on a cycle come last. */
function inOrder(workflow: Workflow): Workflow["nodes"] {
  const touched = new Set(workflow.edges.flatMap((edge) => [edge.source, edge.target]));
  const nodes = workflow.nodes.filter((node) => !isDecoration(node, touched));
  const open = new Map(nodes.map((node) => [node.id, 0]));
  const targets = new Map<string, string[]>();
  for (const { source, target } of workflow.edges) {
    const waiting = open.get(target);
    if (waiting === undefined || !open.has(source)) continue;
    open.set(target, waiting + 1);
    const known = targets.get(source);
    if (known) known.push(target);
    else targets.set(source, [target]);
  }
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const order = new Set(nodes.filter((node) => open.get(node.id) === 0));
  for (const node of order) {
    for (const target of targets.get(node.id) ?? []) {
      const waiting = (open.get(target) ?? 0) - 1;
      open.set(target, waiting);
      const next = byId.get(target);
      if (waiting === 0 && next) order.add(next);
    }
  }
  for (const node of nodes) order.add(node);
  return [...order];
}
