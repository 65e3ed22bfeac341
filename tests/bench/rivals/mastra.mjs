import { createStep, createWorkflow } from "@mastra/core/workflows";
import { z } from "zod";

const schema = z.any();

/** A chain is `then` after `then`; a fan is `parallel` between two steps. */
export function prepare({ shape, ids }) {
  const step = (id) =>
    createStep({ id, inputSchema: schema, outputSchema: schema, execute: async () => ({ value: 0 }) });
  let workflow = createWorkflow({ id: "bench", inputSchema: schema, outputSchema: schema });
  if (shape === "chain") {
    for (const id of ids) workflow = workflow.then(step(id));
  } else {
    workflow = workflow
      .then(step(ids[0]))
      .parallel(ids.slice(1, -1).map(step))
      .then(step(ids.at(-1)));
  }
  workflow.commit();
  return async () => {
    const run = await workflow.createRun();
    const { status } = await run.start({ inputData: { value: 0 } });
    if (status !== "success") throw new Error(status);
  };
}
