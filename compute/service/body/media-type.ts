import { NodeflowError } from "../../../protocol/index.ts";

export type BodyType = "json" | "msgpack";

const TYPES = new Map<string, BodyType>([
  ["application/json", "json"],
  ["application/msgpack", "msgpack"],
]);

/** What the body is, by its headers, which are taken at their word: nothing is guessed from its bytes. */
export function bodyTypeOf(headers: Headers): BodyType {
  const encoding = headers.get("content-encoding") ?? "identity";
  if (encoding.toLowerCase() !== "identity") {
    throw new NodeflowError("UNSUPPORTED_MEDIA_TYPE", "The body must not be compressed");
  }
  const [essence = "", ...parameters] = (headers.get("content-type") ?? "").split(";");
  const type = TYPES.get(essence.trim().toLowerCase());
  if (type === undefined) {
    const wanted = [...TYPES.keys()].join(" or ");
    throw new NodeflowError("UNSUPPORTED_MEDIA_TYPE", `The content type must be ${wanted}`);
  }
  const charset = parameters.find((parameter) => /^\s*charset\s*=/i.test(parameter));
  if (charset !== undefined && !/=\s*"?utf-?8"?\s*$/i.test(charset)) {
    throw new NodeflowError("UNSUPPORTED_MEDIA_TYPE", "The body must be UTF-8");
  }
  return type;
}
