import { OpenAICompatibleChatLanguageModel } from "@ai-sdk/openai-compatible";
import type { Value } from "../../../protocol/index.ts";
import { chatFailure } from "./failure.ts";

/** A request to a model, its templates filled in. */
export interface Chat {
  /** Where `/chat/completions` stands, without a slash at its end. */
  readonly baseUrl: string;
  readonly model: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as the body, beside the model: `messages` and whatever else. */
  readonly body: Readonly<Record<string, Value>>;
  readonly fetch: typeof fetch;
  readonly signal: AbortSignal;
}

/** What a model says, piece by piece; last what it cost, where the server tells. */
export type Said = { readonly text: string } | { readonly usage: Usage };

/** Counted in tokens. */
export interface Usage {
  readonly input: number | undefined;
  readonly output: number | undefined;
  /** Why it stopped, in the server's word, e.g. `stop` or `length`. */
  readonly finish: string | undefined;
}

/** Asks a model. A stream that ends without saying why, or says that it failed, throws `UPSTREAM_ERROR`. */
export async function* chat(request: Chat): AsyncGenerator<Said, void, void> {
  const { baseUrl, model, headers, body, fetch, signal } = request;
  const { origin } = new URL(baseUrl);
  const language = new OpenAICompatibleChatLanguageModel(model, {
    provider: "nodeflow",
    url: ({ path }) => `${baseUrl}${path}`,
    headers: { ...headers },
    fetch,
    includeUsage: true,
    // What the workflow says is sent as it is: servers know more than the library does.
    transformRequestBody: (args) => ({ ...args, ...body }),
  });
  try {
    const { stream } = await language.doStream({ prompt: [], abortSignal: signal });
    for await (const part of stream) {
      if (part.type === "text-delta") yield { text: part.delta };
      else if (part.type === "error") throw part.error;
      else if (part.type === "finish") {
        const { usage, finishReason } = part;
        yield {
          usage: {
            input: usage.inputTokens.total,
            output: usage.outputTokens.total,
            finish: finishReason.raw,
          },
        };
      }
    }
  } catch (error) {
    throw chatFailure(error, origin, signal);
  }
}
