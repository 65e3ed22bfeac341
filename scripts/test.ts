/**
 * `npm test`: every check there is, the quick ones first. All of them run, whatever the others say.
 * The last line is `N passed, N failed`; a failed check that isn't a test counts as one failed.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import process from "node:process";
import { provideChromium } from "./chromium.ts";

const RESULTS = ".results/tests.json";

interface Check {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
}

const checks: readonly Check[] = [
  { name: "format and lint", command: ["npm", "run", "--silent", "lint"] },
  { name: "import boundaries", command: ["npm", "run", "--silent", "boundaries"] },
  { name: "types", command: ["npm", "run", "--silent", "typecheck"] },
  { name: "bundle size", command: ["npm", "run", "--silent", "check:size"] },
];

const began = performance.now();

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

/** Runs a check with its output shown. True if it passed. */
function passes({ name, command: [program, ...args] }: Check, env: NodeJS.ProcessEnv = process.env): boolean {
  const start = performance.now();
  const passed = spawnSync(program, args, { stdio: "inherit", env }).status === 0;
  console.log(`${passed ? "✓" : "✗"} ${name}, ${seconds(start)}\n`);
  return passed;
}

/** What the JSON report of vitest tells, as far as it matters here. */
interface Report {
  readonly success: boolean;
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly { status: string; assertionResults: readonly { status: string }[] }[];
}

/** Counts tests, and files that failed without a failing test: they could not even be loaded. */
function count(passed: boolean): { passed: number; failed: number } {
  const report: Report = JSON.parse(readFileSync(RESULTS, "utf8"));
  const broken = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some(({ status }) => status === "failed"),
  );
  const failed = report.numFailedTests + broken.length;
  // An error outside of any test fails the run without a name.
  return { passed: report.numPassedTests, failed: passed ? failed : Math.max(failed, 1) };
}

/** Runs all tests. */
function runTests(env: NodeJS.ProcessEnv): { passed: number; failed: number } {
  rmSync(RESULTS, { force: true });
  const command = [
    "vitest",
    "run",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${RESULTS}`,
  ] as const;
  const passed = passes({ name: "tests", command }, env);
  try {
    return count(passed);
  } catch (cause) {
    console.error("The tests left no report.", cause);
    return { passed: 0, failed: 1 };
  }
}

let failed = checks.filter((check) => !passes(check)).length;
const chromium = provideChromium();
if (chromium === undefined) {
  console.error(
    "Chromium is missing: install it (Debian: apt-get install chromium) or set CHROMIUM to its path.",
  );
  failed += 1;
}
const tests = runTests({ ...process.env, ...(chromium !== undefined && { CHROMIUM: chromium }) });
failed += tests.failed;

console.log(`All checks took ${seconds(began)}.`);
console.log(`${tests.passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
