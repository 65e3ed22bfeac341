import { encodeJson, NodeflowError, Secret, type Value } from "../../../protocol/index.ts";
import type { NodeContext } from "../../engine/index.ts";
import type { Call } from "../network/network.ts";
import { renderValue } from "../template-text.ts";
import { type Data, hasBody } from "./data.ts";

/** What a header can carry: Latin-1 without control characters. */
const HEADER = /^[\t\x20-\x7e\x80-\xff]*$/;

/** The request of an attempt: its templates filled in, its secrets revealed, its body written. */
export function requestOf(context: NodeContext<Data>): Call {
  const { data, inputs, idempotencyKey } = context;
  const url = urlOf(data.url, inputs);
  const { method } = data;
  const headers = new Headers();
  if (hasBody(method)) headers.set("idempotency-key", idempotencyKey);
  const body = hasBody(method) ? bodyOf(data.body, inputs) : undefined;
  if (body) headers.set("content-type", body.type);
  const secret = new Set<string>();
  for (const [name, value] of Object.entries(data.headers)) {
    if (value instanceof Secret) secret.add(name.toLowerCase());
    headers.set(
      name,
      value instanceof Secret ? context.secret(value.name, url.origin) : headerOf(name, value, inputs),
    );
  }
  return { url: url.href, method, headers, secret, ...(body && { body: body.content }) };
}

/** The URL that a template gives: a place on its own is the URL itself, inside a longer text it is percent-encoded. */
export function urlOf(text: string, inputs: Readonly<Record<string, Value>>): URL {
  const value = renderValue(text, inputs, percentEncoded);
  if (typeof value === "string" && URL.canParse(value)) return new URL(value);
  const hint = text.includes("{{") ? ": what is filled in inside a longer url is percent-encoded" : "";
  throw new NodeflowError("EXPRESSION_ERROR", `${shown(value)} is not a URL${hint}`);
}

function percentEncoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

function headerOf(name: string, template: string, inputs: Readonly<Record<string, Value>>): string {
  const value = renderValue(template, inputs);
  const text = typeof value === "number" || typeof value === "boolean" ? String(value) : value;
  if (typeof text === "string" && HEADER.test(text)) return text;
  const why =
    typeof text !== "string"
      ? "must be text"
      : /[\r\n\0]/.test(text)
        ? "has a line break in it"
        : "has characters in it that headers can't carry";
  throw new NodeflowError("EXPRESSION_ERROR", `The header "${name}" ${why}`);
}

interface Body {
  readonly type: string;
  readonly content: string | Uint8Array<ArrayBuffer>;
}

/** An absent body is the value on `in`; without `in` there is none. */
function bodyOf(template: unknown, inputs: Readonly<Record<string, Value>>): Body | undefined {
  const value = template === undefined ? inputs["in"] : renderValue(template as Value, inputs);
  if (value === undefined) return undefined;
  if (typeof value === "string") return { type: "text/plain;charset=utf-8", content: value };
  if (value instanceof Uint8Array)
    return { type: "application/octet-stream", content: new Uint8Array(value) };
  return { type: "application/json", content: encodeJson(value) };
}

function shown(value: Value): string {
  return typeof value === "string" ? `"${value.slice(0, 200)}"` : "What was filled in";
}
