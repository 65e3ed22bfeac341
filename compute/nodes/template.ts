import { z } from "zod";
import { defineNode } from "../engine/index.ts";
import { parseTemplate, renderText, templateText } from "./template-text.ts";

const Data = z.object({
  text: templateText.describe("Text with {{handle.path}} where values go"),
});

export const template = defineNode<z.infer<typeof Data>>({
  type: "template",
  description: "Text with values filled in",
  data: Data,
  cost: "trivial",
  strongest: "pure",
  handles: () => ({ inputs: { "*": {} }, outputs: { out: "text" } }),
  effect: () => "pure",
  *execute({ data, inputs }) {
    yield { value: renderText(parseTemplate(data.text), inputs) };
  },
});
