import { describe, expect, it } from "vitest";
import type { ExecutionUpdate, Workflow } from "../../protocol/index.ts";
import { overHttp } from "../conformance/http.ts";
import { asArithmetic, asDelays, evaluateTrace, orderFaults, readTraces, type Trace } from "./traces.ts";

/** How many traces there are: a folder with fewer is not the one that is meant. */
const TRACES = 8;

/** Runs the traces of real workflows over HTTP. `url` is asked for when the first test begins. */
export function runTraces(host: string, url: () => string): void {
  describe(`real workflows on ${host}`, () => {
    const traces = readTraces();
    if (!traces) {
      console.warn(
        `LEFT OUT: real workflows on ${host}, since NODEFLOW_DATA doesn't say where the traces are`,
      );
      it("is left out, since NODEFLOW_DATA doesn't say where the traces are", () => {
        expect(process.env["NODEFLOW_DATA"]).toBeFalsy();
      });
      return;
    }
    it(`finds ${TRACES} traces`, () => expect(traces).toHaveLength(TRACES));

    const run = async (workflow: Workflow) => {
      const updates: ExecutionUpdate[] = [];
      const body = JSON.stringify({ workflow });
      for await (const update of overHttp(url(), "text/event-stream")(body)) updates.push(update);
      return updates;
    };
    const named = traces.map((trace) => [trace.name, trace] as const);

    it.each(named)("%s waits as long as its tasks took, in their order", async (_, trace: Trace) => {
      const updates = await run(asDelays(trace));
      expect(updates.at(-1)).toMatchObject({ type: "execution-completed" });
      expect(orderFaults(trace, updates)).toEqual([]);
    });

    it.each(named)("%s computes what its tasks compute", async (_, trace: Trace) => {
      const updates = await run(asArithmetic(trace));
      const values = evaluateTrace(trace);
      expect(orderFaults(trace, updates)).toEqual([]);
      const seen = Object.fromEntries(
        updates.flatMap((update) => (update.type === "node-output" ? [[update.nodeId, update.value]] : [])),
      );
      expect(seen).toEqual(values);
      const last = updates.at(-1);
      if (last?.type !== "execution-completed") throw new Error(`ended with ${JSON.stringify(last)}`);
      for (const [name, value] of Object.entries(last.outputs)) expect(value).toBe(values[name]);
      expect(Object.keys(last.outputs).length).toBeGreaterThan(0);
    });
  });
}
