import { type Node, type Options, parse, type Token, type Program as Tree, tokenizer } from "acorn";

/**
 * A module made into a script: an expression that gives `async function (exports, WebAssembly)`. Calling it runs the module;
 * what the module exports by default is then `exports.default`. A script is compiled once and run in many contexts, and
 * no host needs its own way of linking modules.
 */
export interface Program {
  readonly script: string;
  /** Whether it is handed `WebAssembly`: for programs that are ours. */
  readonly wasm: boolean;
}

/** What is wrong with a source, and where. Lines and columns count from 1. */
export class SourceError extends Error {
  override readonly name = "SourceError";
}

/** Lines that the script has before the first of the source. */
export const LINES_BEFORE = 1;

const SYNTAX: Options = { ecmaVersion: 2023, sourceType: "module", locations: true, allowHashBang: false };
/** Characters of a source. */
const MAX_CHARS = 262_144;
/** Sources are read where others wait for their turn: what more would take is too long for them. */
const MAX_TOKENS = 30_000;
/** Different names in a source: the parser looks through all of a scope's for each that is declared. */
const MAX_NAMES = 3_000;
/** Brackets within brackets: what is declared in a block is noted in those around it, too. */
const MAX_NESTING = 256;
/** Characters of all sources whose programs are kept. */
const MAX_KEPT = 4_194_304;
const kept = new Map<string, Program>();
let keptChars = 0;

/** Compiles a source, or gives the program that it was compiled to before. Throws a `SourceError`. */
export function compileProgram(source: string): Program {
  const known = kept.get(source);
  if (known) return known;
  if (source.length > MAX_CHARS) throw new SourceError(`is longer than ${MAX_CHARS} characters`);
  const program = { script: scriptOf(source), wasm: false };
  kept.set(source, program);
  keptChars += source.length;
  for (const oldest of kept.keys()) {
    if (keptChars <= MAX_KEPT) break;
    kept.delete(oldest);
    keptChars -= oldest.length;
  }
  return program;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

function scriptOf(source: string): string {
  const tree = read(source);
  refuseImports(tree);
  const name = unusedName(source);
  const { edits, last } = exportsOf(tree, source, name);
  let body = "";
  let at = 0;
  for (const { start, end, text } of edits) {
    body += source.slice(at, start) + text;
    at = end;
  }
  body += source.slice(at);
  const script = `(async function (${name}, WebAssembly) { "use strict";\n${body}\n;${last}})`;
  refuseEscape(script);
  return script;
}

/**
 * A script has comments that a module doesn't: `<!--` and `-->`. What is a module to us would be something else to an engine,
 * which could end the function early and run outside of it.
 */
function refuseEscape(script: string): void {
  const problem = new SourceError("has `<!--` or `-->`, which scripts read as comments; put a space into it");
  const onComment = (_block: boolean, _text: string, start: number) => {
    if (script[start] !== "/") throw problem;
  };
  let tree: Tree;
  try {
    tree = parse(script, { ecmaVersion: SYNTAX.ecmaVersion, sourceType: "script", onComment });
  } catch (cause) {
    if (cause instanceof SourceError) throw cause;
    throw new SourceError("is not JavaScript (ES2023) once it is made into a script", { cause });
  }
  const [only, another] = tree.body;
  const alone = only?.type === "ExpressionStatement" && only.expression.type === "FunctionExpression";
  if (!alone || another || only.end !== script.length) throw problem;
}

function read(source: string): Tree {
  try {
    return parse(source, { ...SYNTAX, onToken: bounded(source) });
  } catch (cause) {
    const deep = cause instanceof Error && /stack/i.test(cause.message);
    if (deep) throw new SourceError("is nested too deep to be read");
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new SourceError(`is not JavaScript (ES2023): ${cause.message.replace(/\((\d+):(\d+)\)$/, place)}`);
  }
}

const OPENING = new Set(["(", "[", "{", "${"]);
const CLOSING = new Set([")", "]", "}"]);

/** Counts what makes reading take long. */
function bounded(source: string): (token: Token) => void {
  const names = new Set<string>();
  let tokens = 0;
  let nesting = 0;
  return ({ type: { label }, start, end }) => {
    tokens += 1;
    if (tokens > MAX_TOKENS) throw new SourceError(`has more than ${MAX_TOKENS} words and signs`);
    if (label === "name" || label === "privateId") names.add(source.slice(start, end));
    if (names.size > MAX_NAMES) throw new SourceError(`has more than ${MAX_NAMES} different names`);
    if (OPENING.has(label)) nesting += 1;
    else if (CLOSING.has(label)) nesting -= 1;
    if (nesting > MAX_NESTING) throw new SourceError("is nested too deep to be read");
  };
}

/** Columns count from 0 there. */
function place(_whole: string, line: string, column: string): string {
  return `(line ${line}, column ${Number(column) + 1})`;
}

/** A syntax node as far as it is walked here. */
type Syntax = Node & { readonly [key: string]: unknown };

const REFUSED: Readonly<Record<string, string>> = {
  ImportDeclaration: "import",
  ImportExpression: "import()",
  MetaProperty: "import.meta",
  ExportAllDeclaration: "export … from",
};

function refuseImports(tree: Tree): void {
  const open: Syntax[] = [tree as unknown as Syntax];
  for (let node = open.pop(); node; node = open.pop()) {
    const what = REFUSED[node.type];
    const newTarget = node.type === "MetaProperty" && (node["meta"] as { name?: string }).name === "new";
    if (what && !newTarget) refuse(what, node);
    if (node.type === "ExportNamedDeclaration" && node["source"]) refuse("export … from", node);
    for (const key of Object.keys(node)) {
      const part = node[key];
      if (Array.isArray(part)) {
        for (const element of part) if (isSyntax(element)) open.push(element);
      } else if (isSyntax(part)) {
        open.push(part);
      }
    }
  }
}

function refuse(what: string, node: Syntax): never {
  throw new SourceError(`has no modules to load, so no \`${what}\` (line ${node.loc?.start.line})`);
}

function isSyntax(part: unknown): part is Syntax {
  return typeof part === "object" && part !== null && typeof (part as { type?: unknown }).type === "string";
}

/** What becomes of the exports: the default one is assigned, others are only declared. */
function exportsOf(
  tree: Tree,
  source: string,
  name: string,
): { readonly edits: readonly Edit[]; readonly last: string } {
  const edits: Edit[] = [];
  let last = "";
  let found = false;
  for (const statement of tree.body) {
    if (statement.type === "ExportDefaultDeclaration") {
      found = true;
      const { declaration } = statement;
      const declares = declaration.type === "FunctionDeclaration" || declaration.type === "ClassDeclaration";
      if (!declares) {
        // Not up to the expression: that leaves out parentheses around it.
        const end = statement.start + defaultEnd(source.slice(statement.start));
        edits.push({ start: statement.start, end, text: `${name}.default =` });
      } else if (declaration.id) {
        // A declaration stays one, so that it is hoisted.
        edits.push({ start: statement.start, end: declaration.start, text: "" });
        last = `${name}.default = ${declaration.id.name};`;
      } else {
        // It ends where it ends, whatever follows.
        edits.push({ start: statement.start, end: declaration.start, text: `${name}.default = (` });
        edits.push({ start: declaration.end, end: declaration.end, text: ");" });
      }
    } else if (statement.type === "ExportNamedDeclaration") {
      const { declaration, specifiers } = statement;
      edits.push({ start: statement.start, end: declaration?.start ?? statement.end, text: "" });
      for (const { local, exported } of specifiers) {
        const as = exported.type === "Identifier" ? exported.name : exported.value;
        if (as !== "default" || local.type !== "Identifier") continue;
        found = true;
        last = `${name}.default = ${local.name};`;
      }
    }
  }
  if (!found)
    throw new SourceError("must `export default` a function, e.g. `export default ({ in: x }) => x + 1`");
  return { edits, last };
}

/** Where `export default` ends, at which a text begins; comments may stand between. */
function defaultEnd(text: string): number {
  const tokens = tokenizer(text, SYNTAX);
  tokens.getToken();
  return tokens.getToken().end;
}

function unusedName(source: string): string {
  const found = new Set(source.match(/exports\d*/g));
  let free = "exports";
  for (let n = 0; found.has(free); n += 1) free = `exports${n}`;
  return free;
}
