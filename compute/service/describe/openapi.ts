import { z } from "zod";
import {
  Capabilities,
  ERROR_CODES,
  ErrorAnswer,
  type ErrorCode,
  ExecuteRequest,
  ExecutionResult,
  ExecutionUpdate,
  Health,
  ValidateAnswer,
  Workflow,
} from "../../../protocol/index.ts";
import { jsonSchema } from "./node-type.ts";

const SCHEMAS = {
  ExecuteRequest: z.union([ExecuteRequest, Workflow]),
  ExecutionUpdate,
  ExecutionResult,
  ValidateAnswer,
  Capabilities,
  Health,
  ErrorAnswer,
};

const ref = (name: keyof typeof SCHEMAS) => ({ schema: { $ref: `#/components/schemas/${name}` } });
const json = (name: keyof typeof SCHEMAS, description: string) => ({
  description,
  content: { "application/json": ref(name) },
});
const plain = (description: string) => ({ description });

const BODY = {
  required: true,
  content: { "application/json": ref("ExecuteRequest"), "application/msgpack": ref("ExecuteRequest") },
};
const STREAM = {
  description:
    "The run has begun. Its updates follow as they happen; the last one is terminal. As application/json: one object at its end.",
  headers: { "x-execution-id": { schema: { type: "string" } } },
  content: {
    "text/event-stream": ref("ExecutionUpdate"),
    "application/x-ndjson": ref("ExecutionUpdate"),
    "application/msgpack": ref("ExecutionUpdate"),
    "application/json": ref("ExecutionResult"),
  },
};

/** Answers for the codes, one per status. */
function errors(...codes: readonly ErrorCode[]): Record<string, unknown> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { status } = ERROR_CODES[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, named]) => [status, json("ErrorAnswer", named.join(", "))]),
  );
}

const ACCESS = ["UNAUTHENTICATED", "FORBIDDEN", "RATE_LIMITED", "INTERNAL"] as const;
const READING = ["INVALID_REQUEST", "PAYLOAD_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE"] as const;

/** The service in OpenAPI 3.1, from the schemas that it checks with. */
export function openapiDocument(version: string): unknown {
  return {
    openapi: "3.1.0",
    info: { title: "Node Flow", version, description: "Post a workflow, read its updates as they happen." },
    security: [{}, { bearer: [] }],
    paths: {
      "/execute": {
        post: {
          operationId: "execute",
          summary: "Run a workflow and stream its updates",
          requestBody: BODY,
          responses: {
            200: STREAM,
            ...errors(...READING, "INVALID_WORKFLOW", ...ACCESS, "CAPACITY_EXCEEDED", "DRAINING"),
          },
        },
      },
      "/executions/{id}": {
        delete: {
          operationId: "cancel",
          summary: "Cancel a run of this instance and this caller",
          parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }],
          responses: { 202: plain("The run is being cancelled"), ...errors("NOT_FOUND", ...ACCESS) },
        },
      },
      "/validate": {
        post: {
          operationId: "validate",
          summary: "Check a workflow without running it",
          requestBody: BODY,
          responses: { 200: json("ValidateAnswer", "What was found"), ...errors(...READING, ...ACCESS) },
        },
      },
      "/capabilities": {
        get: {
          operationId: "capabilities",
          summary: "Node types, limits and features",
          responses: { 200: json("Capabilities", "What this host does"), ...errors(...ACCESS) },
        },
      },
      "/health": {
        get: {
          operationId: "health",
          summary: "Whether new runs are taken",
          security: [],
          responses: {
            200: json("Health", "They are"),
            503: json("Health", "This instance is shutting down"),
          },
        },
      },
      "/metrics": {
        get: {
          operationId: "metrics",
          summary: "Counts in the text format of Prometheus, where the host keeps them",
          responses: { 200: plain("The counts"), ...errors("NOT_FOUND", ...ACCESS) },
        },
      },
    },
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
      schemas: Object.fromEntries(
        Object.entries(SCHEMAS).map(([name, schema]) => [name, jsonSchema(schema)]),
      ),
    },
  };
}
