import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ExecutionUpdate } from "../../../protocol/index.ts";
import { start } from "./cli-process.ts";
import { allOf, errorOf, post } from "./service-harness.ts";
import { type ServiceProcess, startProcess } from "./service-process.ts";
import { type Answer, type Upstream, upstream } from "./upstream.ts";

/** What must be found nowhere. Its characters are those that encodings change. */
const CANARY = 'c4n/ry+"q=\\&<ü> 9f8e7d6c5b4a';
const CORE = "9f8e7d6c5b4a";

/** The canary, or the part of it that no encoding but these changes, in whatever spelling. */
function traces(text: string): string[] {
  const bytes = Buffer.from(CORE);
  const clues = [CORE, bytes.toString("hex"), bytes.toString("hex").toUpperCase()];
  clues.push([...bytes].map((byte) => `%${byte.toString(16)}`).join(""));
  for (const before of [0, 1, 2]) {
    const base64 = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    clues.push(base64.slice(4, 12));
  }
  return clues.filter((clue) => text.includes(clue));
}

const key = (request: { readonly headers: Record<string, unknown> }) => String(request.headers["x-key"]);

/** Every spelling of what it was sent. */
function spelled(text: string): string[] {
  const bytes = Buffer.from(text);
  return [
    text,
    JSON.stringify({ [text]: text }),
    JSON.stringify(JSON.stringify(text)),
    encodeURIComponent(text),
    new URLSearchParams({ text }).toString(),
    bytes.toString("hex"),
    ...["", "a", "ab"].map((before) => Buffer.from(before + text).toString("base64")),
    ...["", "a", "ab"].map((before) => Buffer.from(before + text).toString("base64url")),
  ];
}

async function inPieces(response: Parameters<Answer>[0], text: string | Buffer, size: number): Promise<void> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) {
    response.write(bytes.subarray(at, at + size));
    await new Promise(setImmediate);
  }
  response.end();
}

let server: Upstream;
let other: Upstream;
let service: ServiceProcess;
let variables: Record<string, string>;

beforeAll(async () => {
  other = await upstream({ "/": (response, { headers }) => void response.end(JSON.stringify(headers)) });
  server = await upstream({
    "/headers": (response, { headers }) => void response.end(JSON.stringify(headers)),
    "/text": (response, request) => inPieces(response, spelled(key(request)).join("\n"), 7),
    "/one": (response, request) => inPieces(response, spelled(key(request)).join("\n"), 1),
    "/json": (response, request) => void response.end(JSON.stringify({ list: spelled(key(request)) })),
    "/sse": (response, request) =>
      void response.end(
        spelled(key(request))
          .map((text) => `event: ${text}\ndata: ${text}\n\n`)
          .join(""),
      ),
    "/error": (response, request) => void response.writeHead(400).end(spelled(key(request)).join("\n")),
    "/not-json": (response, request) => void response.end(key(request)),
    "/retry": (response, request) => {
      const first = server.seen.filter(({ path }) => path === "/retry").length === 1;
      response.writeHead(first ? 503 : 200).end(JSON.stringify(spelled(key(request))));
    },
    "/moved": (response, request) =>
      void response
        .writeHead(302, { location: `/lost/${encodeURIComponent(key(request))}?k=${key(request).length}` })
        .end(),
    "/away": (response) => void response.writeHead(307, { location: `${other.url}/` }).end(),
  });
  variables = {
    NODEFLOW_ALLOW_NETWORKS: "127.0.0.0/8",
    NODEFLOW_SECRET_KEY: CANARY,
    NODEFLOW_SECRET_KEY_ORIGINS: server.url,
    NODEFLOW_SECRET_NOWHERE: "goes-nowhere-1234",
  };
  service = await startProcess({
    ...variables,
    NODEFLOW_TOKENS: "ada:0123456789abcdef,bob:fedcba9876543210",
    NODEFLOW_TOKEN_SECRETS: "ada:KEY|NOWHERE",
  });
});
afterAll(async () => {
  await service?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
  await other?.[Symbol.asyncDispose]();
});

const ADA = { authorization: "Bearer 0123456789abcdef" };
const BOB = { authorization: "Bearer fedcba9876543210" };
const withKey = (path: string, data: object = {}) => ({
  url: server.url + path,
  headers: { "x-key": { $secret: "KEY" } },
  ...data,
});
const workflow = (data: object, policy: object = {}) => ({
  nodes: [
    { id: "call", type: "http", data, policy },
    { id: "result", type: "output", data: { name: "result" } },
  ],
  edges: [{ source: "call", target: "result" }],
});

/** Every kind of answer that repeats what it was sent. */
const REPEATING: [what: string, data: () => object, policy: object][] = [
  ["its headers", () => withKey("/headers"), {}],
  ["text", () => withKey("/text", { read: "text" }), {}],
  ["text, character by character", () => withKey("/one", { read: "text" }), {}],
  ["bytes", () => withKey("/text", { read: "bytes" }), {}],
  ["lines", () => withKey("/text", { read: "lines" }), {}],
  ["events", () => withKey("/sse", { read: "sse" }), {}],
  ["JSON", () => withKey("/json"), {}],
  ["an error", () => withKey("/error"), {}],
  ["an error that is routed", () => withKey("/error"), { onError: "route" }],
  ["what isn't JSON", () => withKey("/not-json"), {}],
  ["an answer to a second attempt", () => withKey("/retry"), { retry: { maxAttempts: 2 } }],
  ["the path of a redirect", () => withKey("/moved"), {}],
];

describe("a secret that is repeated as", () => {
  test.each(REPEATING)("%s is in nothing that the service says", async (_, data, policy) => {
    const before = server.seen.length;
    for (const accept of [
      "text/event-stream",
      "application/x-ndjson",
      "application/json",
      "application/msgpack",
    ]) {
      const response = await post(service.url, workflow(data(), policy), { ...ADA, accept });
      expect(response.status).toBe(200);
      const said = Buffer.from(await response.arrayBuffer()).toString("latin1");
      expect(said.length).toBeGreaterThan(100);
      expect(traces(said)).toEqual([]);
    }
    // It was sent, and only the answers are without it.
    const sent = server.seen.slice(before).filter(({ headers }) => headers["x-key"] === CANARY);
    expect(sent.length).toBeGreaterThanOrEqual(4);
    expect(traces(service.output() + service.errors())).toEqual([]);
  });

  test("anything is in nothing that the command line says or saves", async () => {
    const folder = await mkdtemp(join(tmpdir(), "nodeflow-secrets-"));
    try {
      for (const [, data, policy] of REPEATING) {
        const file = join(folder, "workflow.json");
        const checkpoint = join(folder, "checkpoint.json");
        await writeFile(file, JSON.stringify(workflow(data(), policy)));
        const { out, err } = await start(["run", file, "--save-checkpoint", checkpoint], variables).done;
        const saved = await readFile(checkpoint, "utf8").catch(() => "");
        expect(out).toContain("execution-started");
        expect(traces(out + err + saved)).toEqual([]);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("nothing is in what the service says of itself", async () => {
    for (const path of ["/capabilities", "/health", "/openapi.json", "/metrics"]) {
      const text = await (await fetch(service.url + path, { headers: ADA })).text();
      expect(traces(text)).toEqual([]);
      expect(text).not.toContain("goes-nowhere");
    }
  });
});

describe("a secret", () => {
  const outputOf = (updates: ExecutionUpdate[]) =>
    updates.flatMap((update) => (update.type === "node-output" ? [update.value] : []))[0];
  const refused = async (data: object, headers: Record<string, string>) => {
    const response = await post(service.url, workflow(data), headers);
    expect(response.status).toBe(422);
    const { details } = await errorOf(response);
    return (details as { code: string; path: string }[]).map(({ code, path }) => [code, path]);
  };
  const WRONG = [["INVALID_NODE_DATA", "/workflow/nodes/0/data/headers/x-key"]];

  test("is there for those who may use it", async () => {
    const updates = await allOf(await post(service.url, workflow(withKey("/headers")), ADA));
    expect(outputOf(updates)).toMatchObject({ "x-key": "[secret KEY]" });
  });

  test("isn't there for others, and isn't told to be there", async () => {
    expect(await refused(withKey("/headers"), BOB)).toEqual(WRONG);
    const unknown = { url: server.url, headers: { "x-key": { $secret: "UNKNOWN" } } };
    expect(await refused(unknown, BOB)).toEqual(WRONG);
    expect(await refused(unknown, ADA)).toEqual(WRONG);
  });

  test("goes nowhere unless origins are listed", async () => {
    expect(await refused({ url: server.url, headers: { "x-key": { $secret: "NOWHERE" } } }, ADA)).toEqual(
      WRONG,
    );
    expect(await refused({ ...withKey("/"), url: `${other.url}/` }, ADA)).toEqual(WRONG);
    expect(await refused({ ...withKey("/"), url: `${server.url}@${other.url.slice(7)}/` }, ADA)).not.toEqual(
      [],
    );
  });

  test("that would go elsewhere because of a template is held back when it runs", async () => {
    const before = other.seen.length;
    const body = {
      workflow: {
        nodes: [
          { id: "where", type: "input", data: { name: "where" } },
          { id: "call", type: "http", data: { ...withKey("/"), url: "{{where}}" } },
        ],
        edges: [{ source: "where", target: "call", targetHandle: "where" }],
      },
      inputs: { where: `${other.url}/` },
    };
    const updates = await allOf(await post(service.url, body, ADA));
    expect(updates.at(-1)).toMatchObject({ error: { code: "SECRET_NOT_FOUND", nodeId: "call" } });
    expect(other.seen).toHaveLength(before);
  });

  test.each(["x-key", "user-agent", "Accept-Language", "idempotency-key", "traceparent"])(
    "isn't carried along by a redirect to another origin, also as %s",
    async (name) => {
      const before = other.seen.length;
      const data = { url: `${server.url}/away`, headers: { [name]: { $secret: "KEY" } } };
      const updates = await allOf(await post(service.url, workflow(data), ADA));
      expect(updates.at(-1)?.type).toBe("execution-completed");
      expect(server.seen.at(-1)?.headers[name.toLowerCase()]).toBe(CANARY);
      expect(other.seen).toHaveLength(before + 1);
      expect(traces(JSON.stringify(other.seen.at(-1)?.headers))).toEqual([]);
    },
  );

  test("stands in headers, and nowhere else", async () => {
    const data = { url: server.url, method: "POST", body: { key: { $secret: "KEY" } } };
    expect(await refused(data, ADA)).toEqual([["INVALID_NODE_DATA", "/workflow/nodes/0/data/body/key"]]);
    // Text that only looks like one stays text.
    const updates = await allOf(
      await post(
        service.url,
        workflow({ ...withKey("/headers"), headers: { "x-key": '{"$secret":"KEY"}' } }),
        ADA,
      ),
    );
    expect(outputOf(updates)).toMatchObject({ "x-key": '{"$secret":"KEY"}' });
  });

  test("of a service without tokens is given to nobody", async () => {
    await using open = await startProcess(variables);
    const response = await post(open.url, workflow(withKey("/headers")));
    expect(response.status).toBe(422);
  });
});
