/**
 * `npm run bench [-- --json] [-- --only engine,live,…]`: how fast it is here, each figure beside its control from the same run.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { benchEngineNoops, benchLiveEdges } from "./engine.ts";
import { benchFirstUpdate, benchStreaming } from "./http.ts";
import { benchIdleStreams } from "./idle.ts";
import { benchPool } from "./pool.ts";
import { asJson, asTable, type Figure, machine } from "./report.ts";
import { benchSandbox } from "./sandbox.ts";

const suites: Readonly<Record<string, () => Promise<Figure[]>>> = {
  engine: benchEngineNoops,
  live: benchLiveEdges,
  streaming: benchStreaming,
  first: benchFirstUpdate,
  idle: benchIdleStreams,
  sandbox: benchSandbox,
  pool: benchPool,
};

const { values } = parseArgs({ options: { json: { type: "boolean" }, only: { type: "string" } } });
const wanted = values.only?.split(",") ?? Object.keys(suites);
const figures: Figure[] = [];
for (const name of wanted) {
  const suite = suites[name];
  if (!suite) throw new RangeError(`No suite ${name}; there are ${Object.keys(suites).join(", ")}`);
  process.stderr.write(`measuring ${name} …\n`);
  figures.push(...(await suite()));
}

if (values.json) console.log(asJson(figures));
else {
  const { cpu, cores, memoryGiB, node } = machine();
  console.log(`${cpu}, ${cores} cores, ${memoryGiB} GiB, Node ${node}\n\n${asTable(figures)}`);
}
