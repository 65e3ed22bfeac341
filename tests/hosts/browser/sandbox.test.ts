import { sandboxContract } from "../../contract/sandbox.ts";
import { endlessContract } from "../../contract/sandbox-endless.ts";
import { escapesContract } from "../../contract/sandbox-escapes.ts";
import { chromiumSandbox } from "./sandbox.ts";

sandboxContract("Chromium", chromiumSandbox);
endlessContract("Chromium", chromiumSandbox, { timeoutMs: 400, withinMs: 1_500, memoryMb: 64 });
escapesContract("Chromium", chromiumSandbox);
