#!/usr/bin/env node
import process from "node:process";
import { main } from "./program.ts";

process.stderr.on("error", () => {
  // Nobody reads the complaints; the exit code still tells.
});
// Set, not exited with: what has been written is still on its way to whoever reads it.
process.exitCode = await main(process.argv.slice(2), process.env, (line) => {
  process.stderr.write(`${line}\n`);
});
