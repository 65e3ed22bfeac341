import { NodeflowError, Secret, type Value } from "../../../protocol/index.ts";
import { defineNode, type Emission, type NodeContext, type NodeType } from "../../engine/index.ts";
import { originOf } from "../http/data.ts";
import { urlOf } from "../http/request.ts";
import type { Network } from "../network/network.ts";
import { parseTemplate, renderText, renderValue } from "../template-text.ts";
import { chat, type Usage } from "./chat.ts";
import { Data } from "./data.ts";

/** The type that asks language models, at any server that speaks OpenAI's chat completions. */
export function llmNode(network: Network): NodeType<Data> {
  return defineNode<Data>({
    type: "llm",
    description: "Asks a language model (OpenAI-compatible chat) and streams what it says",
    data: Data,
    cost: "light",
    // Asking again costs, and changes nothing.
    strongest: "idempotent",
    secrets: ["/apiKey"],
    destination: ({ baseUrl }) => originOf(baseUrl),
    handles: ({ messages, prompt }) => {
      const asked = messages !== undefined || prompt !== undefined;
      return {
        inputs: { "*": {}, ...(!asked && { in: { insteadOf: "prompt" } }) },
        outputs: { out: "text" },
      };
    },
    effect: () => "idempotent",
    execute: (context) => say(network, context),
  });
}

async function* say(network: Network, context: NodeContext<Data>): AsyncGenerator<Emission> {
  const { data, inputs, signal } = context;
  const url = urlOf(data.baseUrl, inputs);
  const key = keyOf(context, url.origin);
  const answer = chat({
    baseUrl: withoutSlashes(url.href),
    model: renderText(parseTemplate(data.model), inputs),
    headers: key === null ? {} : { authorization: `Bearer ${key}` },
    body: bodyOf(data, inputs),
    fetch: network.fetch(context),
    signal,
  });
  for await (const said of answer) {
    if ("text" in said) yield { value: said.text };
    else context.log("info", printed(said.usage));
  }
}

/** Not by an expression: `/\/+$/` takes its time with slashes that don't stand at the end. */
function withoutSlashes(text: string): string {
  let end = text.length;
  while (text[end - 1] === "/") end -= 1;
  return text.slice(0, end);
}

function keyOf(context: NodeContext<Data>, origin: string): string | null {
  const { apiKey } = context.data;
  if (apiKey === undefined) return null;
  if (apiKey instanceof Secret) return context.secret(apiKey.name, origin);
  const key = renderText(parseTemplate(apiKey), context.inputs);
  if (/^[\x21-\x7e]*$/.test(key)) return key;
  throw new NodeflowError("EXPRESSION_ERROR", "The apiKey has characters in it that headers can't carry");
}

function bodyOf(data: Data, inputs: Readonly<Record<string, Value>>): Record<string, Value> {
  const { messages, prompt, temperature, maxTokens, topP, stop, seed, extra } = data;
  return {
    ...((extra && renderValue(extra as Value, inputs)) as Record<string, Value> | undefined),
    messages: messages
      ? (renderValue(messages as unknown as Value, inputs) as Value)
      : [{ role: "user", content: textOf(prompt, inputs) }],
    ...(temperature !== undefined && { temperature }),
    ...(maxTokens !== undefined && { max_tokens: maxTokens }),
    ...(topP !== undefined && { top_p: topP }),
    ...(stop && { stop }),
    ...(seed !== undefined && { seed }),
  };
}

/** A prompt, or what stands in for it: text as it is, anything else as JSON. */
function textOf(prompt: string | undefined, inputs: Readonly<Record<string, Value>>): string {
  return renderText(parseTemplate(prompt ?? "{{in}}"), inputs);
}

function printed({ input, output, finish }: Usage): string {
  const tokens = (n: number | undefined) => n ?? "an unknown number of";
  return `${tokens(input)} tokens in, ${tokens(output)} tokens out${finish === undefined ? "" : `; ended with "${finish}"`}`;
}
