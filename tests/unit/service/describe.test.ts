import { describe, expect, it } from "vitest";
import { z } from "zod";
import { defineNode } from "../../../compute/engine/index.ts";
import { builtinNodes } from "../../../compute/nodes/index.ts";
import { describeNodeType } from "../../../compute/service/describe/node-type.ts";
import { openapiDocument } from "../../../compute/service/describe/openapi.ts";
import { sample } from "../../../compute/service/describe/sample.ts";
import { Latency } from "../../../compute/service/latency.ts";
import { NodeTypeInfo } from "../../../protocol/index.ts";

describe("samples of data", () => {
  it("are the smallest that a schema takes", () => {
    const schema = z.object({
      text: z.string(),
      count: z.number().min(3),
      mode: z.enum(["first", "all"]),
      on: z.boolean(),
      list: z.array(z.object({ handle: z.string() })),
      optional: z.string().optional(),
      withDefault: z.string().default("given"),
    });
    const given = sample(z.toJSONSchema(schema, { io: "input" }) as object, "word");
    expect(given).toEqual({ text: "word", count: 3, mode: "first", on: false, list: [{ handle: "word" }] });
    expect(schema.safeParse(given).success).toBe(true);
  });
});

describe("what is told of a node type", () => {
  it.each([...builtinNodes.values()].map((type) => [type.type, type] as const))("%s", (_, type) => {
    const info = NodeTypeInfo.strict().parse(describeNodeType(type));
    expect(info.data).toMatchObject({ $schema: expect.stringContaining("json-schema.org") });
    expect(
      Object.keys({ ...info.inputs, ...info.outputs }).length + Number(type.type === "constant"),
    ).toBeGreaterThan(0);
  });

  it("are its own handles by name, and those that its data name as *", () => {
    const type = defineNode<{ name: string }>({
      type: "named",
      description: "Has a handle named by its data",
      data: z.object({ name: z.string() }),
      cost: "light",
      strongest: "idempotent",
      handles: ({ name }) => ({
        inputs: { in: { required: true, live: ["items"] }, [name]: {} },
        outputs: { out: "text", [name]: "value" },
      }),
      effect: () => "pure",
      execute: () => [],
    });
    expect(describeNodeType(type)).toMatchObject({
      inputs: { in: { required: true, live: ["items"] }, "*": {} },
      outputs: { out: "text", "*": "value" },
      effect: "idempotent",
      cost: "light",
    });
  });

  it("is * where its handles can't be asked for", () => {
    const type = defineNode<string>({
      type: "picky",
      description: "Takes only one very special text",
      data: z.string().refine((text) => text === "sesame"),
      cost: "light",
      strongest: "pure",
      handles: () => ({ inputs: {}, outputs: { out: "value" } }),
      effect: () => "pure",
      execute: () => [],
    });
    expect(describeNodeType(type)).toMatchObject({ inputs: { "*": {} }, outputs: { "*": "value" } });
  });
});

describe("the OpenAPI document", () => {
  it("is JSON, and has every schema that it points to", () => {
    const document = JSON.parse(JSON.stringify(openapiDocument("1.2.3")));
    expect(document.info.version).toBe("1.2.3");
    const names = [...JSON.stringify(document.paths).matchAll(/#\/components\/schemas\/(\w+)/g)].map(
      ([, name]) => name,
    );
    expect(new Set(names).size).toBeGreaterThan(5);
    for (const name of names) expect(document.components.schemas).toHaveProperty(String(name));
  });
});

describe("latency", () => {
  it("is the median of the last hundred, and 0 before there is any", () => {
    const latency = new Latency();
    expect(latency.median).toBe(0);
    for (let i = 0; i < 200; i++) latency.add(1_000);
    for (let i = 0; i < 60; i++) latency.add(5);
    expect(latency.median).toBe(5);
  });
});
