/** `npm run check:size`: bundles for Cloudflare Workers and weighs the bundle as it is uploaded, compressed. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { gzipSync } from "node:zlib";

const LIMIT = 1_000_000;
const FOLDER = ".results/worker";

rmSync(FOLDER, { recursive: true, force: true });
const args = ["deploy", "--dry-run", "--outdir", FOLDER];
const env = { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_LOG_PATH: ".results", CI: "true" };
const bundling = spawnSync("wrangler", args, { encoding: "utf8", env });
if (bundling.status !== 0) {
  process.stderr.write(`${bundling.stdout ?? ""}${bundling.stderr ?? bundling.error}`);
  process.exit(1);
}

const files = readdirSync(FOLDER).filter((name) => !name.endsWith(".map") && name !== "README.md");
const size = files.reduce((sum, name) => sum + gzipSync(readFileSync(join(FOLDER, name))).length, 0);
const fits = files.length > 0 && size < LIMIT;
console.log(
  `Workers bundle: ${(size / 1000).toFixed(0)} kB compressed, ${fits ? "below" : "NOT below"} ${LIMIT / 1000} kB`,
);
process.exitCode = fits ? 0 : 1;
