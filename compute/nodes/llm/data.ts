import { z } from "zod";
import { secretText } from "../secret-text.ts";
import { templateText, templateValue } from "../template-text.ts";

const Message = z.object({
  role: z.enum(["system", "user", "assistant"]),
  content: templateValue.describe("Text, or the parts that the server takes"),
});

/** Fields of the body that the others make. */
const MADE = ["model", "messages", "stream", "stream_options", "tools", "tool_choice"];

export const Data = z
  .object({
    baseUrl: templateText
      .min(1, "must not be empty")
      .describe("Where the server's API stands, e.g. https://api.openai.com/v1"),
    model: templateText.min(1, "must not be empty").describe("The model's name there"),
    messages: z.array(Message).min(1, "must have at least one message").max(1_000).optional(),
    prompt: templateText
      .optional()
      .describe("One message of the user; without it and without messages, the value on `in`"),
    apiKey: secretText
      .optional()
      .describe('Sent as bearer token; best a secret of the host: {"$secret": "NAME"}'),
    temperature: z.number().min(0).max(10).optional(),
    maxTokens: z.int().min(1).optional().describe("Sent as max_tokens"),
    topP: z.number().min(0).max(1).optional().describe("Sent as top_p"),
    stop: z.array(z.string().min(1)).max(16).optional(),
    seed: z.int().optional(),
    extra: z
      .record(z.string(), templateValue)
      .optional()
      .describe("Further fields of the request's body, as the server names them"),
  })
  .superRefine(({ messages, prompt, extra }, context) => {
    if (messages !== undefined && prompt !== undefined) {
      context.addIssue({
        code: "custom",
        path: ["prompt"],
        message: "stands beside messages: give one of them",
      });
    }
    for (const name of Object.keys(extra ?? {})) {
      if (!MADE.includes(name)) continue;
      context.addIssue({ code: "custom", path: ["extra", name], message: "is made from the other fields" });
    }
  });
export type Data = z.infer<typeof Data>;
