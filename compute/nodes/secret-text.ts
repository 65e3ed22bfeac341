import { z } from "zod";
import { Secret } from "../../protocol/index.ts";
import { templateText } from "./template-text.ts";

const secret = z.instanceof(Secret).meta({
  type: "object",
  properties: { $secret: { type: "string" } },
  required: ["$secret"],
  additionalProperties: false,
});

/** A string of `data` that is a template, or a secret of the host. The type must mark the field as one for secrets. */
export const secretText = z.union([templateText, secret], "must be a string or a secret");
