import { describe, expect, it } from "vitest";
import {
  type ExecuteRequest,
  encodeMsgpack,
  finish,
  MsgpackReader,
  NodeflowError,
  parseCheckpoint,
  parseRequest,
  type RequestFault,
  readJson,
  requestToJson,
  requestToMsgpack,
  Secret,
} from "../../../protocol/index.ts";
import { same } from "./value.ts";

const parse = (body: unknown): ExecuteRequest => finish(parseRequest(body));

function faults(body: unknown): readonly RequestFault[] {
  try {
    parse(body);
  } catch (error) {
    if (error instanceof NodeflowError && error.code === "INVALID_REQUEST")
      return error.details as RequestFault[];
    throw error;
  }
  return [];
}

const workflow = { nodes: [{ id: "a", type: "constant", data: { value: 1 } }], edges: [] };
const checkpoint = { protocol: 1, runId: "r", seed: "s", nodes: {} };

describe("parseRequest", () => {
  it("takes a request, or a workflow itself, and leaves out what execution doesn't need", () => {
    const drawn = {
      nodes: [
        { id: "a", type: "constant", data: { value: 1 }, position: { x: 0, y: 0 }, measured: { width: 3 } },
      ],
      edges: [{ id: "e", source: "a", target: "b", animated: true, sourceHandle: null }],
      viewport: { x: 0, y: 0, zoom: 1 },
    };
    const expected = {
      nodes: [{ id: "a", type: "constant", data: { value: 1 } }],
      edges: [{ id: "e", source: "a", target: "b", sourceHandle: null }],
    };
    same(parse(structuredClone(drawn)), { workflow: expected });
    same(parse({ workflow: structuredClone(drawn) }), { workflow: expected });
  });

  it("takes a body with a request's key for a request, even if it has nodes", () => {
    same(faults({ ...workflow, inputs: {} }), [{ path: "/workflow", message: "must be an object" }]);
  });

  it("tells all faults with their places, a bare workflow's as if it were under workflow", () => {
    const paths = (body: unknown) => faults(body).map((fault) => fault.path);
    same(paths({ nodes: [{ id: 1 }, { id: "b", data: { $bytes: "?" } }], edges: {} }), [
      "/workflow/nodes/0/id",
      "/workflow/nodes/1/data",
      "/workflow/edges",
    ]);
    same(
      paths({
        workflow: { nodes: 3 },
        inputs: { "a/b": { $secret: "X" } },
        options: { timeoutMs: "soon", outputs: "some" },
        checkpoint: { ...checkpoint, protocol: 2, nodes: { "a/0": { status: "done" } } },
        answers: { ask: {}, other: 5 },
      }),
      [
        "/workflow/nodes",
        "/inputs/a~1b",
        "/options/outputs",
        "/options/timeoutMs",
        "/checkpoint/protocol",
        "/checkpoint/nodes/a~10",
        "/answers/ask",
        "/answers/other",
      ],
    );
  });

  it.each([null, 5, "x", [], [workflow], {}, { workflow: null }, { workflow: [] }, { nodes: "x" }])(
    "refuses %j",
    (body) => {
      expect(faults(body).length).toBeGreaterThan(0);
    },
  );

  it("bounds the faults it tells", () => {
    expect(faults({ nodes: new Array(1_000).fill(0) })).toHaveLength(100);
  });

  it("reads markers where values are, and nowhere else", () => {
    const request = parse({
      workflow: {
        nodes: [{ id: "$bytes", data: { a: { $bytes: "AQI=" } }, policy: { default: { $$secret: 1 } } }],
      },
      inputs: { $bytes: "AQ==", real: { $bytes: "AQ==" } },
      checkpoint: {
        ...checkpoint,
        nodes: {
          a: {
            status: "completed",
            outputs: { $secret: "not a marker", out: { $$$bytes: 1 } },
            fingerprint: "f",
          },
          "m/0": { status: "completed", item: "i", result: { $bytes: "" } },
          "m/1": { status: "completed", item: "i" },
          m: { status: "partial", fingerprint: "f" },
          gone: { status: "completed", outputs: null },
        },
      },
      answers: {
        ask: { value: { $bytes: "Ag==" } },
        no: { request: "r", error: { code: "C", message: "m" } },
      },
    });
    same(request.workflow.nodes[0]?.data, { a: new Uint8Array([1, 2]) });
    same(request.workflow.nodes[0]?.policy, { default: { $secret: 1 } });
    same({ ...request.inputs }, { $bytes: "AQ==", real: new Uint8Array([1]) });
    const { a, m, gone, ...scopes } = request.checkpoint!.nodes;
    same(structuredClone(a), {
      status: "completed",
      fingerprint: "f",
      outputs: { $secret: "not a marker", out: { $$bytes: 1 } },
    });
    same(scopes, {
      "m/0": { status: "completed", item: "i", result: new Uint8Array() },
      "m/1": { status: "completed", item: "i" },
    });
    same(
      [m, gone],
      [
        { status: "partial", fingerprint: "f" },
        { status: "completed", outputs: null },
      ],
    );
    same(
      { ...request.answers },
      {
        ask: { value: new Uint8Array([2]) },
        no: { request: "r", error: { code: "C", message: "m" } },
      },
    );
  });

  it("reads secrets in nodes' data only, and they can't be forged", () => {
    const [node] = parse({
      nodes: [
        {
          id: "a",
          data: {
            key: { $secret: "KEY" },
            own: { $$secret: "KEY" },
            nested: { nodes: [{ data: [{ $secret: "K" }] }] },
          },
        },
      ],
    }).workflow.nodes;
    const data = node?.data as Record<string, unknown>;
    expect(data["key"]).toBeInstanceOf(Secret);
    expect((data["key"] as Secret).name).toBe("KEY");
    same(data["own"], { $secret: "KEY" });
    for (const body of [
      { nodes: [{ id: "a", policy: { default: { $secret: "K" } } }] },
      { workflow, inputs: { a: [{ $secret: "K" }] } },
      { workflow, answers: { a: { value: { $secret: "K" } } } },
      {
        workflow,
        checkpoint: {
          ...checkpoint,
          nodes: { a: { status: "completed", outputs: { out: { $secret: "K" } } } },
        },
      },
      {
        workflow,
        checkpoint: {
          ...checkpoint,
          nodes: { a: { status: "completed", item: "i", result: { $secret: "K" } } },
        },
      },
    ]) {
      expect(faults(body)[0]?.message).toContain("secret");
    }
  });

  it("gives records in which no name finds what wasn't posted", () => {
    const request = parse({
      workflow,
      inputs: {},
      checkpoint: { ...checkpoint, nodes: { a: { status: "completed", outputs: {} } } },
      answers: {},
    });
    const entry = request.checkpoint!.nodes["a"]!;
    const records = [
      request.inputs,
      request.checkpoint!.nodes,
      request.answers,
      "outputs" in entry && entry.outputs,
    ];
    for (const record of records) {
      for (const name of ["toString", "constructor", "__proto__", "hasOwnProperty"]) {
        expect((record as Record<string, unknown>)[name]).toBeUndefined();
      }
    }
  });

  it("refuses __proto__ wherever it could be taken for a name or a value, and changes no prototype", () => {
    const bodies = [
      '{"nodes":[{"id":"a","data":{"x":[{"__proto__":{"admin":1}}]}}]}',
      '{"workflow":{"nodes":[]},"inputs":{"__proto__":{"admin":1}}}',
      '{"workflow":{"nodes":[]},"answers":{"__proto__":{"value":1}}}',
      '{"workflow":{"nodes":[]},"checkpoint":{"protocol":1,"runId":"r","seed":"s","nodes":{"__proto__":{"status":"partial"}}}}',
      '{"workflow":{"nodes":[]},"checkpoint":{"protocol":1,"runId":"r","seed":"s","nodes":{"a":{"status":"completed","outputs":{"__proto__":1}}}}}',
    ];
    for (const body of bodies) expect(faults(readJson(body))[0]?.path).toContain("/__proto__");
    expect(faults(readJson('{"__proto__":{"nodes":[]}}'))).toHaveLength(1);
    expect(({} as Record<string, unknown>)["admin"]).toBeUndefined();
  });

  it("pauses often enough over large workflows, checkpoints and values", () => {
    const nodes = Array.from({ length: 20_000 }, (_, i) => ({ id: `n${i}`, data: { i } }));
    const edges = nodes.map(({ id }) => ({ source: id, target: "end" }));
    const entries = Object.fromEntries(nodes.map(({ id }) => [id, { status: "partial" }]));
    const inputs = { large: Array.from({ length: 100_000 }, (_, i) => [i]) };
    const steps = parseRequest({
      workflow: { nodes, edges },
      inputs,
      checkpoint: { ...checkpoint, nodes: entries },
    });
    let pauses = 0;
    while (!steps.next().done) pauses += 1;
    expect(pauses).toBeGreaterThan(3 * (20_000 / 200) + 200_000 / 4_096);
  });

  it("takes values as they are where there is no wire", () => {
    const own = { $secret: "X" };
    const request = finish(parseRequest({ workflow, inputs: { a: own } }, { wire: null }));
    expect(request.inputs?.["a"]).toBe(own);
  });
});

describe("requests on the wire", () => {
  const request: ExecuteRequest = {
    workflow: {
      nodes: [
        {
          id: "a",
          type: "http",
          data: { key: new Secret("KEY"), own: { $secret: "KEY" }, raw: new Uint8Array([7]) },
        },
      ],
      edges: [],
    },
    inputs: { x: new Uint8Array([1]), y: { $bytes: "own" } },
    options: { outputs: "leaves", seed: "s" },
    checkpoint: {
      protocol: 1,
      runId: "r",
      seed: "s",
      nodes: {
        a: { status: "completed", outputs: { out: { $secret: "own" } } },
        "m/0": { status: "completed", item: "i", result: { $$bytes: new Uint8Array([2]) } },
      },
    },
    answers: { ask: { value: { $secret: "own" } } },
  };
  const comparable = (value: ExecuteRequest): unknown => JSON.parse(requestToJson(value));

  it("are read as they were written, by JSON and by MessagePack", () => {
    const byJson = parse(readJson(requestToJson(request)));
    const packed = new MsgpackReader().push(requestToMsgpack(request))[0];
    const byMsgpack = finish(parseRequest(packed, { wire: "msgpack" }));
    for (const read of [byJson, byMsgpack]) {
      same(comparable(read), comparable(request));
      expect((read.workflow.nodes[0]!.data as Record<string, unknown>)["key"]).toBeInstanceOf(Secret);
      same(read.inputs?.["y"], { $bytes: "own" });
    }
  });

  it("have no marker for bytes in MessagePack", () => {
    const [body] = new MsgpackReader().push(encodeMsgpack({ workflow, inputs: { a: { $bytes: "AQ==" } } }));
    same(finish(parseRequest(body, { wire: "msgpack" })).inputs?.["a"], { $bytes: "AQ==" });
  });
});

describe("parseCheckpoint", () => {
  it("reads a checkpoint on its own", () => {
    same({ ...finish(parseCheckpoint({ ...checkpoint, more: 1 })).nodes }, {});
    expect(() => finish(parseCheckpoint({ nodes: {} }))).toThrow("/protocol");
  });
});
