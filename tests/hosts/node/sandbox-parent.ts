/** Starts a sandbox and tells which processes it has. `spin`: both compute natively, without end; `leave`: it ends by itself. */
import process from "node:process";
import { createNodeSandbox } from "../../../compute/sandbox/node/sandbox.ts";
import { jobOf } from "../../contract/sandbox/case.ts";

const SPIN = "export default () => Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)";
const sandbox = createNodeSandbox({ children: 2 });
await sandbox.warm();
const { signal } = new AbortController();
if (process.argv[2] === "spin") {
  for (const group of ["a", "b"]) {
    const values = await sandbox.start(jobOf({ source: SPIN, group, timeoutMs: 600_000 }), signal);
    values.next().catch(() => undefined);
  }
} else {
  for await (const value of await sandbox.start(jobOf({ source: "export default () => 7" }), signal)) {
    console.log(`value ${value}`);
  }
}
console.log(`pids ${sandbox.pids.join(" ")}`);
