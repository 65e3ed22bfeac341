import { localRunner } from "../../compute/engine/index.ts";
import { builtinNodes } from "../../compute/nodes/index.ts";
import { runnerContract } from "./runner.ts";

runnerContract("of this thread", () => ({ runner: localRunner, types: builtinNodes }));
