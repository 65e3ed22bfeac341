import type { Engine } from "../../compute/engine/index.ts";
import { finish, parseRequest, readJson } from "../../protocol/index.ts";
import type { Execute } from "./case.ts";

/** Runs fixtures on an engine of this very process: a request is read as a service reads it. */
export function inProcess(engine: Engine): Execute {
  return async function* (body) {
    const request = finish(parseRequest(readJson(body)));
    const prepared = await engine.prepare(request);
    yield* prepared.start();
  };
}
