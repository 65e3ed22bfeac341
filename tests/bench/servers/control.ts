/** Hono's own `streamSSE` on the same server, doing as little as it can. */
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { ExecuteRequest } from "../../../protocol/index.ts";
import { benchEngine } from "../graphs.ts";
import { type Event, serveTheBench } from "./server.ts";

let events: readonly Event[] = [];
const engine = benchEngine();
const empty = { data: "" };

const app = new Hono()
  /** One empty event. */
  .post("/empty", (c) => streamSSE(c, (stream) => stream.writeSSE(empty)))
  /** One event, once the body has been parsed and has the right shape. */
  .post("/parsed", async (c) => {
    ExecuteRequest.parse(await c.req.json());
    return streamSSE(c, (stream) => stream.writeSSE(empty));
  })
  /** One event, once everything has been checked that a run checks before it starts. */
  .post("/validated", async (c) => {
    await engine.validate(ExecuteRequest.parse(await c.req.json()));
    return streamSSE(c, (stream) => stream.writeSSE(empty));
  })
  /** The events it was told to write. */
  .post("/replay", (c) =>
    streamSSE(c, async (stream) => {
      for (const event of events) await stream.writeSSE(event);
    }),
  )
  /** One event, and then nothing until the client has gone. */
  .post("/idle", (c) =>
    streamSSE(c, async (stream) => {
      await stream.writeSSE(empty);
      await new Promise<void>((resolve) => stream.onAbort(resolve));
    }),
  );

serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => {
  serveTheBench(`http://127.0.0.1:${port}`, (told) => {
    events = told;
  });
});
