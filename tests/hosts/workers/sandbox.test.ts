import { sandboxContract } from "../../contract/sandbox.ts";
import { endlessContract } from "../../contract/sandbox-endless.ts";
import { escapesContract } from "../../contract/sandbox-escapes.ts";
import { workerdSandbox } from "./sandbox.ts";

sandboxContract("workerd", workerdSandbox);
endlessContract("workerd", workerdSandbox, { timeoutMs: 400, withinMs: 6_000, memoryMb: 24 });
escapesContract("workerd", workerdSandbox);
