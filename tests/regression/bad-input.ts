/** Bodies that nobody should send: what each is, its bytes, and what the service has to say of it. */
export interface BadBody {
  readonly name: string;
  readonly body: string | Uint8Array;
  readonly type?: string;
  readonly status: number;
  readonly code: string;
  /** Of the first detail, where the fault has a place. */
  readonly path?: string;
  /** Of the first issue of an invalid workflow. */
  readonly issue?: string;
}

const bytes = (...values: number[]) => Uint8Array.from(values);
const join = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
const utf8 = (text: string) => new TextEncoder().encode(text);
const json = (value: unknown) => JSON.stringify(value);

const malformedJson: readonly [string, string | Uint8Array][] = [
  ["nothing", ""],
  ["white space", " \n\t"],
  ["half an object", '{"workflow":'],
  ["half a string", '{"workflow":"'],
  ["half an escape", '"\\u12'],
  ["a closing brace", "}"],
  ["crossed brackets", "[{]}"],
  ["a trailing comma", '{"nodes":[1,],"edges":[]}'],
  ["a comma too many", "[1,,2]"],
  ["single quotes", "{'nodes':[]}"],
  ["a comment", '{"nodes":[]} // so there'],
  ["two values", "{} {}"],
  ["NaN", "NaN"],
  ["Infinity", '{"nodes":Infinity}'],
  ["undefined", "undefined"],
  ["a hexadecimal number", "0x10"],
  ["a leading zero", "[01]"],
  ["a control character in a string", '"\u0001"'],
  ["NUL", "\0"],
  ["a BOM twice", "\ufeff\ufeff{}"],
  ["UTF-8 that isn't", join(utf8('{"nodes":"'), bytes(0xff, 0xfe, 0xc0), utf8('"}'))],
  ["UTF-8 cut in a character", join(utf8('{"nodes":"'), bytes(0xe2, 0x82))],
  ["an overlong encoding", join(utf8('"'), bytes(0xc0, 0xaf), utf8('"'))],
  ["UTF-16", bytes(0x7b, 0, 0x7d, 0)],
  ["HTML", "<html></html>"],
  ["a form", "nodes=1&edges=2"],
  ["brackets 100,000 deep", "[".repeat(100_000)],
  ["brackets 100,000 deep and closed", "[".repeat(100_000) + "]".repeat(100_000)],
  ["objects 100,000 deep", '{"a":'.repeat(100_000)],
  [
    "data 100,000 deep",
    `{"nodes":[{"id":"a","type":"constant","data":${"[".repeat(100_000)}${"]".repeat(100_000)}}]}`,
  ],
  [
    "data 1,000 deep",
    `{"nodes":[{"id":"a","type":"constant","data":${'{"a":'.repeat(1_000)}1${"}".repeat(1_000)}}]}`,
  ],
];

const malformedMsgpack: readonly [string, Uint8Array][] = [
  ["nothing", bytes()],
  ["the byte that is never used", bytes(0xc1)],
  ["a map cut off", bytes(0x81, 0xa5)],
  ["an extension that says it has 4,294,967,295 bytes", bytes(0xc9, 0xff, 0xff, 0xff, 0xff, 0x01)],
  ["a date", bytes(0xd6, 0xff, 0, 0, 0, 0)],
  ["a record of msgpackr's own", bytes(0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61)],
  ["a regular expression of msgpackr's own", bytes(0xc7, 0x04, 0x78, 0x92, 0xa1, 0x61, 0xa0)],
  ["an error of msgpackr's own", bytes(0xc7, 0x03, 0x65, 0x91, 0xa1, 0x61)],
  ["an extension nobody knows", bytes(0xd4, 0x05, 0x00)],
  ["two values", bytes(0x80, 0x80)],
  ["lists 100,000 deep", join(new Uint8Array(100_000).fill(0x91), bytes(0xc0))],
  ["JSON", utf8('{"nodes":[]}')],
];

/** Lengths that nothing has to back them: the first of them is enough to refuse. */
const lengthBombs: readonly [string, Uint8Array][] = [
  ["a list that says it has 4,294,967,295 elements", bytes(0xdd, 0xff, 0xff, 0xff, 0xff)],
  ["a map that says it has 4,294,967,295 entries", bytes(0xdf, 0xff, 0xff, 0xff, 0xff)],
  ["a string that says it has 4,294,967,295 bytes", bytes(0xdb, 0xff, 0xff, 0xff, 0xff)],
  ["bytes that say they are 4,294,967,295", bytes(0xc6, 0xff, 0xff, 0xff, 0xff)],
];

const anInput = { nodes: [{ id: "a", type: "input", data: { name: "x" } }], edges: [] };

/** Requests whose outer shape is wrong, and where. */
const misshapen: readonly [string, unknown, string][] = [
  ["null", null, ""],
  ["a number", 5, ""],
  ["a string", "workflow", ""],
  ["a list", [], ""],
  ["an empty object", {}, "/workflow"],
  ["no workflow", { inputs: {} }, "/workflow"],
  ["a workflow that is null", { workflow: null }, "/workflow"],
  ["a workflow that is a list", { workflow: [] }, "/workflow"],
  ["a workflow without nodes", { workflow: {} }, "/workflow/nodes"],
  ["nodes that are an object", { workflow: { nodes: {} } }, "/workflow/nodes"],
  ["nodes that are text", { nodes: "all" }, "/workflow/nodes"],
  ["a node that is null", { nodes: [null] }, "/workflow/nodes/0"],
  ["a node that is a number", { nodes: [{ id: "a", type: "constant" }, 7] }, "/workflow/nodes/1"],
  ["an id that is a number", { nodes: [{ id: 5, type: "constant" }] }, "/workflow/nodes/0/id"],
  [
    "an id that is an object",
    { nodes: [{ id: { toString: "x" }, type: "constant" }] },
    "/workflow/nodes/0/id",
  ],
  ["no id", { nodes: [{ type: "constant" }] }, "/workflow/nodes/0/id"],
  ["a type that is a list", { nodes: [{ id: "a", type: ["constant"] }] }, "/workflow/nodes/0/type"],
  ["edges that are an object", { nodes: [], edges: {} }, "/workflow/edges"],
  ["an edge that is null", { nodes: [], edges: [null] }, "/workflow/edges/0"],
  ["an edge from nowhere", { nodes: [], edges: [{ target: "a" }] }, "/workflow/edges/0/source"],
  [
    "a handle that is a number",
    { nodes: [], edges: [{ source: "a", target: "b", sourceHandle: 1 }] },
    "/workflow/edges/0/sourceHandle",
  ],
  ["inputs that are a list", { workflow: anInput, inputs: [] }, "/inputs"],
  ["options that are a number", { workflow: anInput, options: 5 }, "/options"],
  ["a timeout that is text", { workflow: anInput, options: { timeoutMs: "5" } }, "/options/timeoutMs"],
  ["a timeout below zero", { workflow: anInput, options: { timeoutMs: -1 } }, "/options/timeoutMs"],
  ["a concurrency of zero", { workflow: anInput, options: { concurrency: 0 } }, "/options/concurrency"],
  ["a concurrency of 1.5", { workflow: anInput, options: { concurrency: 1.5 } }, "/options/concurrency"],
  ["outputs that aren't a choice", { workflow: anInput, options: { outputs: "some" } }, "/options/outputs"],
  ["a seed that is a number", { workflow: anInput, options: { seed: 5 } }, "/options/seed"],
  ["until that is a name", { workflow: anInput, options: { until: "a" } }, "/options/until"],
  ["an empty checkpoint", { workflow: anInput, checkpoint: {} }, "/checkpoint/protocol"],
  ["a checkpoint that is a list", { workflow: anInput, checkpoint: [] }, "/checkpoint"],
  [
    "a checkpoint of the future",
    { workflow: anInput, checkpoint: { protocol: 2, runId: "r", seed: "s", nodes: {} } },
    "/checkpoint/protocol",
  ],
  [
    "a checkpoint whose nodes are a list",
    { workflow: anInput, checkpoint: { protocol: 1, runId: "r", seed: "s", nodes: [] } },
    "/checkpoint/nodes",
  ],
  [
    "a checkpoint's entry that is null",
    { workflow: anInput, checkpoint: { protocol: 1, runId: "r", seed: "s", nodes: { a: null } } },
    "/checkpoint/nodes/a",
  ],
  [
    "a checkpoint's run without a name",
    { workflow: anInput, checkpoint: { protocol: 1, runId: "", seed: "s", nodes: {} } },
    "/checkpoint/runId",
  ],
  ["answers that are a list", { workflow: anInput, answers: [] }, "/answers"],
  ["an answer that is text", { workflow: anInput, answers: { a: "yes" } }, "/answers/a"],
  [
    "bytes that aren't base64",
    { nodes: [{ id: "a", type: "constant", data: { value: { $bytes: "***" } } }] },
    "/workflow/nodes/0/data/value",
  ],
  ["bytes that are a number", { workflow: anInput, inputs: { x: { $bytes: 5 } } }, "/inputs/x"],
  ["a secret in an input", { workflow: anInput, inputs: { x: { $secret: "KEY" } } }, "/inputs/x"],
];

const node = (id: string, type = "constant", data: unknown = { value: 1 }) => ({ id, type, data });
const edge = (source: string, target: string, more: object = {}) => ({ source, target, ...more });
const passing = (id: string) => node(id, "transform", { expression: "$" });

function chain(length: number, closed: boolean): unknown {
  const nodes = Array.from({ length }, (_, i) => passing(`n${i}`));
  const edges = nodes.slice(1).map(({ id }, i) => edge(`n${i}`, id));
  return { nodes, edges: closed ? [...edges, edge(`n${length - 1}`, "n0")] : edges };
}

function nested(levels: number): { nodes: unknown[] } {
  return levels === 0
    ? { nodes: [node("inner")] }
    : { nodes: [node("sub", "subflow", { workflow: nested(levels - 1) })] };
}

/** Workflows that are wrong, and how. */
const invalid: readonly [string, unknown, string][] = [
  ["an empty id", { nodes: [node("")] }, "INVALID_NODE_ID"],
  ["an id with a slash", { nodes: [node("a/b")] }, "INVALID_NODE_ID"],
  ["an id with a line break", { nodes: [node("a\nb")] }, "INVALID_NODE_ID"],
  ["an id with NUL", { nodes: [node("a\0")] }, "INVALID_NODE_ID"],
  ["an id of 257 characters", { nodes: [node("a".repeat(257))] }, "INVALID_NODE_ID"],
  ["the id __proto__", { nodes: [node("__proto__")] }, "INVALID_NODE_ID"],
  ["the id constructor", { nodes: [node("constructor")] }, "INVALID_NODE_ID"],
  ["the id prototype", { nodes: [node("prototype")] }, "INVALID_NODE_ID"],
  ["one id twice", { nodes: [node("a"), node("a")] }, "DUPLICATE_NODE_ID"],
  ["a type nobody knows", { nodes: [node("a", "teleport")] }, "UNKNOWN_NODE_TYPE"],
  ["the type __proto__", { nodes: [node("a", "__proto__")] }, "UNKNOWN_NODE_TYPE"],
  ["the type constructor", { nodes: [node("a", "constructor")] }, "UNKNOWN_NODE_TYPE"],
  ["the type toString", { nodes: [node("a", "toString")] }, "UNKNOWN_NODE_TYPE"],
  ["data that is a number", { nodes: [node("a", "range", 5)] }, "INVALID_NODE_DATA"],
  ["a range to nowhere", { nodes: [node("a", "range", {})] }, "INVALID_NODE_DATA"],
  ["a range without steps", { nodes: [node("a", "range", { to: 5, step: 0 })] }, "INVALID_NODE_DATA"],
  ["a delay below zero", { nodes: [node("a", "delay", { ms: -1 })] }, "INVALID_NODE_DATA"],
  [
    "an expression that isn't one",
    { nodes: [node("a", "transform", { expression: "((((" })] },
    "INVALID_NODE_DATA",
  ],
  [
    "an expression of 5,000 brackets",
    { nodes: [node("a", "transform", { expression: "(".repeat(5_000) })] },
    "INVALID_NODE_DATA",
  ],
  [
    "a policy that isn't one",
    { nodes: [{ ...node("a"), policy: { retry: { maxAttempts: 1e9 } } }] },
    "INVALID_NODE_DATA",
  ],
  ["a policy that is a list", { nodes: [{ ...node("a"), policy: [] }] }, "INVALID_NODE_DATA"],
  [
    "a policy with words nobody knows",
    { nodes: [{ ...node("a"), policy: { onErorr: "skip" } }] },
    "INVALID_NODE_DATA",
  ],
  [
    "an edge from a node that isn't there",
    { nodes: [passing("a")], edges: [edge("x", "a")] },
    "INVALID_EDGE_SOURCE",
  ],
  [
    "an edge from __proto__",
    { nodes: [passing("a")], edges: [edge("__proto__", "a")] },
    "INVALID_EDGE_SOURCE",
  ],
  [
    "an edge to a node that isn't there",
    { nodes: [node("a")], edges: [edge("a", "x")] },
    "INVALID_EDGE_TARGET",
  ],
  [
    "a handle that isn't there",
    { nodes: [node("a"), passing("b")], edges: [edge("a", "b", { sourceHandle: "x" })] },
    "UNKNOWN_HANDLE",
  ],
  [
    "the handle __proto__",
    { nodes: [node("a"), passing("b")], edges: [edge("a", "b", { sourceHandle: "__proto__" })] },
    "UNKNOWN_HANDLE",
  ],
  [
    "the target handle __proto__",
    { nodes: [node("a"), passing("b")], edges: [edge("a", "b", { targetHandle: "__proto__" })] },
    "UNKNOWN_HANDLE",
  ],
  [
    "two edges where one may be",
    {
      nodes: [node("a"), node("b"), node("c", "output", { name: "o" })],
      edges: [edge("a", "c"), edge("b", "c")],
    },
    "HANDLE_OCCUPIED",
  ],
  [
    "an input that isn't connected",
    { nodes: [node("c", "output", { name: "o" })] },
    "REQUIRED_INPUT_MISSING",
  ],
  [
    "one output name twice",
    {
      nodes: [node("a"), node("b", "output", { name: "o" }), node("c", "output", { name: "o" })],
      edges: [edge("a", "b"), edge("a", "c")],
    },
    "DUPLICATE_OUTPUT_NAME",
  ],
  ["a node that feeds itself", { nodes: [passing("a")], edges: [edge("a", "a")] }, "CYCLE_DETECTED"],
  [
    "two that feed each other",
    { nodes: [passing("a"), passing("b")], edges: [edge("a", "b"), edge("b", "a")] },
    "CYCLE_DETECTED",
  ],
  ["a ring of 10,000", chain(10_000, true), "CYCLE_DETECTED"],
  ["a missing input", anInput, "INPUT_MISSING"],
  ["an input nobody asked for", { workflow: anInput, inputs: { x: 1, y: 2 } }, "UNKNOWN_INPUT"],
  ["workflows in workflows, nine deep", nested(9), "GRAPH_TOO_LARGE"],
  [
    "a wrong workflow inside",
    { nodes: [node("m", "map", { workflow: { nodes: [node("a", "nothing")] } })] },
    "UNKNOWN_NODE_TYPE",
  ],
  [
    "until a node that isn't there",
    { workflow: { nodes: [node("a")] }, options: { until: ["x"] } },
    "INVALID_NODE_ID",
  ],
  [
    "from __proto__",
    { workflow: { nodes: [node("a")] }, options: { from: ["__proto__"] } },
    "INVALID_NODE_ID",
  ],
  [
    "the outputs of a node that isn't there",
    { workflow: { nodes: [node("a")] }, options: { outputs: ["x"] } },
    "INVALID_NODE_ID",
  ],
];

/** `__proto__` as a key, wherever an object can be. JSON.stringify would leave it out of literals, so these are texts. */
const protoKeys: readonly [string, string][] = [
  ["beside the workflow", '{"__proto__":{"polluted":1},"workflow":{"nodes":[]}}'],
  ["in the workflow", '{"workflow":{"__proto__":{"polluted":1},"nodes":[]}}'],
  ["in a node", '{"nodes":[{"id":"a","type":"constant","data":{"value":1},"__proto__":{"polluted":1}}]}'],
  [
    "in an edge",
    '{"nodes":[{"id":"a","type":"constant","data":{"value":1}}],"edges":[{"__proto__":{"polluted":1},"source":"a","target":"a"}]}',
  ],
  ["in data", '{"nodes":[{"id":"a","type":"constant","data":{"value":1,"__proto__":{"polluted":1}}}]}'],
  ["in a value", '{"nodes":[{"id":"a","type":"constant","data":{"value":{"__proto__":{"polluted":1}}}}]}'],
  [
    "in a list in a value",
    '{"nodes":[{"id":"a","type":"constant","data":{"value":[[{"__proto__":{"polluted":1}}]]}}]}',
  ],
  [
    "in a policy",
    '{"nodes":[{"id":"a","type":"constant","data":{"value":1},"policy":{"__proto__":{"polluted":1}}}]}',
  ],
  ["in inputs", '{"workflow":{"nodes":[]},"inputs":{"__proto__":{"polluted":1}}}'],
  ["in options", '{"workflow":{"nodes":[]},"options":{"__proto__":{"polluted":1}}}'],
  [
    "in a checkpoint",
    '{"workflow":{"nodes":[]},"checkpoint":{"protocol":1,"runId":"r","seed":"s","nodes":{},"__proto__":{"polluted":1}}}',
  ],
  [
    "as a path",
    '{"workflow":{"nodes":[]},"checkpoint":{"protocol":1,"runId":"r","seed":"s","nodes":{"__proto__":{"status":"partial"}}}}',
  ],
  [
    "in outputs",
    '{"workflow":{"nodes":[]},"checkpoint":{"protocol":1,"runId":"r","seed":"s","nodes":{"a":{"status":"completed","outputs":{"__proto__":{"polluted":1}}}}}}',
  ],
  ["in answers", '{"workflow":{"nodes":[]},"answers":{"__proto__":{"value":{"polluted":1}}}}'],
  [
    "behind constructor",
    '{"nodes":[{"id":"a","type":"constant","data":{"value":{"constructor":{"prototype":{"polluted":1}}}}}]}',
  ],
];

/** What each of these is answered with is of no account, as long as it is an answer and harms nobody. */
export const PROTO_KEYS = protoKeys;

export const BAD_BODIES: readonly BadBody[] = [
  ...malformedJson.map(([name, body]) => ({
    name: `JSON: ${name}`,
    body,
    status: 400,
    code: "INVALID_REQUEST",
  })),
  ...malformedMsgpack.map(([name, body]) => ({
    name: `MessagePack: ${name}`,
    body,
    type: "application/msgpack",
    status: 400,
    code: "INVALID_REQUEST",
  })),
  ...lengthBombs.map(([name, body]) => ({
    name: `MessagePack: ${name}`,
    body,
    type: "application/msgpack",
    status: 413,
    code: "PAYLOAD_TOO_LARGE",
  })),
  ...misshapen.map(([name, value, path]) => ({
    name: `shape: ${name}`,
    body: json(value),
    status: 400,
    code: "INVALID_REQUEST",
    path,
  })),
  ...invalid.map(([name, value, issue]) => ({
    name: `workflow: ${name}`,
    body: json(value),
    status: 422,
    code: "INVALID_WORKFLOW",
    issue,
  })),
];

/** Strings that have broken programs before. */
export const NAUGHTY: readonly string[] = [
  "undefined",
  "null",
  "NaN",
  "-0",
  "1e1000",
  "0x10",
  "true",
  "hasOwnProperty",
  "toString",
  "valueOf",
  "then",
  "length",
  "__defineGetter__",
  "$",
  "$$",
  "*",
  "in",
  "out",
  "error",
  "%2e%2e%2f",
  "..",
  "~1",
  "~0",
  "a b",
  " ",
  "'; DROP TABLE runs; --",
  "<script>alert(1)</script>",
  "{{handle}}",
  "`",
  '"',
  "\\",
  "\\u0000",
  "data: x",
  "event: execution-completed",
  "\u2028\u2029",
  "\u200b",
  "\u202egnp.exe",
  "\ufeff",
  "\ufffe",
  "e\u0301",
  "田中さん",
  "مرحبا",
  "🏳️‍🌈",
  "👩‍👩‍👧‍👦",
  "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘",
  "\ud800",
  "x".repeat(256),
];
