import { describe, expect, it } from "vitest";
import { createNodeSandbox } from "../../../compute/sandbox/node/sandbox.ts";
import { jobOf } from "../../contract/sandbox/case.ts";
import { sandboxContract } from "../../contract/sandbox.ts";

sandboxContract("child processes", async () => {
  const sandbox = createNodeSandbox({ children: 2 });
  await sandbox.warm();
  return sandbox;
});

sandboxContract("child processes without isolated-vm", async () => {
  const sandbox = createNodeSandbox({ children: 2, engine: "quickjs" });
  await sandbox.warm();
  return sandbox;
});

describe("a host without isolated-vm", () => {
  it("says so, and that it has no place for wasm", async () => {
    const sandbox = createNodeSandbox({ children: 1, engine: "quickjs" });
    await sandbox.warm();
    expect(sandbox.engine).toBe("QuickJS");
    expect(sandbox.notes.join(" ")).toContain("slower");
    const { program, ...job } = jobOf({ source: "export default () => 1" });
    const wasm = { ...job, program: { ...program, wasm: true } };
    const values = await sandbox.start(wasm, new AbortController().signal);
    await expect(values.next()).rejects.toMatchObject({ code: "NODE_FAILED", retryable: false });
    await sandbox.close();
  });
});
