import { describe } from "vitest";
import { webSink } from "../../compute/service/stream/sink.ts";
import { sinkContract } from "./sink.ts";

describe("the sink that is the body of a response", () => {
  sinkContract(async () => {
    const sink = webSink(new AbortController().signal);
    if (!sink.body) throw new TypeError("A web sink has a body");
    const reader = sink.body.getReader();
    return {
      sink,
      read: async () => (await reader.read()).value ?? null,
      leave: () => void reader.cancel(),
    };
  });
});
