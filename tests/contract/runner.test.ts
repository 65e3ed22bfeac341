import {
  localRunner,
  NearEnd,
  type Runner,
  serveAttempt,
  type ToFar,
  type ToNear,
} from "../../compute/engine/index.ts";
import { webClock } from "../../compute/hosts/web.ts";
import { builtinNodes } from "../../compute/nodes/index.ts";
import { pipe } from "../support/pipe.ts";
import { runnerContract } from "./runner.ts";

runnerContract("of this thread", () => ({ runner: localRunner, types: builtinNodes }));

/** Each attempt at the far end of a pipe of its own. */
const overPipes: Runner = {
  start(task) {
    const { a, b } = pipe<ToFar, ToNear>();
    serveAttempt(b, builtinNodes, webClock());
    return { executor: { kind: "peer" }, emissions: new NearEnd(task, a, webClock(), 50), disposes: true };
  },
};

runnerContract("at the other end of a pipe", () => ({ runner: overPipes, types: builtinNodes }));
