import { z } from "zod";
import { secretText } from "../secret-text.ts";
import { parseTemplate, templateText, templateValue } from "../template-text.ts";

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}$/;
/** What frames a message and holds a connection is not for callers to say. */
const FRAMING = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

const headerName = z.string().superRefine((name, context) => {
  const problem = !TOKEN.test(name)
    ? "is not the name of a header"
    : FRAMING.has(name.toLowerCase())
      ? "is a header that nodes don't set"
      : null;
  if (problem !== null) context.addIssue({ code: "custom", message: `"${name.slice(0, 64)}" ${problem}` });
});

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;
const WITHOUT_BODY: readonly string[] = ["GET", "HEAD"];

const url = templateText.superRefine((text, context) => {
  const problem = literalProblem(text);
  if (problem !== null) context.addIssue({ code: "custom", message: problem });
});

/** What is wrong with a URL that has no places to fill in. */
function literalProblem(text: string): string | null {
  if (text.includes("{{")) return null;
  if (!URL.canParse(text)) return "must be a URL like https://api.example.org/items";
  const { protocol, username, password } = new URL(text);
  if (protocol !== "http:" && protocol !== "https:") return "must begin with https: or http:";
  return username === "" && password === "" ? null : "must not have a name and password in it: use a header";
}

export const Data = z
  .object({
    url: url.describe("Where to; {{handle.path}} is filled in, percent-encoded inside a longer text"),
    method: z
      .enum(methods)
      .default("GET")
      .describe("GET and HEAD may be tried again; the others have effects"),
    headers: z
      .record(headerName, secretText)
      .default({})
      .describe('By name; a value may be a secret of the host: {"$secret": "NAME"}'),
    body: templateValue
      .describe("Text, bytes, or what is sent as JSON; without it, the value on `in`")
      .optional(),
    read: z
      .enum(["json", "text", "lines", "sse", "bytes"])
      .default("json")
      .describe("How the answer is read: one value, text or bytes as they come, or lines or events as items"),
  })
  .superRefine(({ method, body }, context) => {
    if (body === undefined || !WITHOUT_BODY.includes(method)) return;
    context.addIssue({ code: "custom", path: ["body"], message: `is not sent with ${method}` });
  });
export type Data = z.infer<typeof Data>;

/** Whether a request with this method has a body. */
export const hasBody = (method: Data["method"]) => !WITHOUT_BODY.includes(method);

/** The origin of a URL as far as it stands there before its places are filled in, or null. */
export function originOf(text: string): string | null {
  const [first] = parseTemplate(text);
  if (typeof first !== "string") return null;
  // Whatever is filled in after the first slash of the path, or after ? or #, can't change the origin.
  const [, start] = /^\s*(https?:\/\/[^/?#\\]+)[/?#\\]/i.exec(first) ?? [];
  const literal = first === text ? text : start;
  return literal !== undefined && URL.canParse(literal) ? new URL(literal).origin : null;
}
