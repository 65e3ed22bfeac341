import { type ExecuteRequest, invalidWorkflow, type Limits, type Steps } from "../../protocol/index.ts";
import { buildGraph } from "./build-graph.ts";
import type { Engine, EngineConfig, Prepared, PrepareOptions, Validation } from "./engine.ts";
import { type Graph, own } from "./graph.ts";
import { Issues, instead } from "./issues.ts";
import type { Plan } from "./plan.ts";
import { planGraph } from "./plan-graph.ts";
import { planReuse, type Reuse } from "./reuse.ts";
import { Run, type RunPlan } from "./run.ts";
import { NO_SECRETS } from "./secrets.ts";
import { type Selection, select } from "./select.ts";
import { cooperate } from "./turns.ts";

/** An engine on a host: it checks requests and runs them. It keeps nothing of a run that is over. */
export function createEngine(config: EngineConfig): Engine {
  return {
    config,
    async prepare(request, options = {}) {
      const limits = tighter(config.limits, options.limits);
      const steps = check(request, config, limits, options, true);
      const checked = await cooperate(steps, config.clock, options.signal);
      if (!checked.ready) throw invalidWorkflow(checked.issues.list);
      const { secrets = NO_SECRETS, caller = "", traceparent } = options;
      const executionId = randomId(config);
      return prepared({
        config,
        limits,
        request,
        executionId,
        secrets,
        caller,
        traceparent,
        ...checked.ready,
      });
    },
    async validate(request, options = {}) {
      const limits = tighter(config.limits, options.limits);
      const steps = check(request, config, limits, options, request.inputs !== undefined);
      const { issues, ready } = await cooperate(steps, config.clock, options.signal);
      return {
        valid: ready !== null,
        issues: issues.list,
        notes: ready?.plan.notes ?? [],
      } satisfies Validation;
    },
  };
}

interface Ready {
  readonly plan: Plan;
  readonly seed: string;
  readonly runId: string | null;
  readonly reuse: Reuse;
  readonly selected: Selection["selected"];
  readonly sent: Selection["sent"];
}

function prepared(ready: Omit<RunPlan, "runId"> & { readonly runId: string | null }): Prepared {
  const { executionId } = ready;
  let begun = false;
  return {
    executionId,
    start(options = {}) {
      if (begun) throw new TypeError("A prepared run begins once");
      begun = true;
      return new Run({ ...ready, runId: ready.runId ?? executionId }, options);
    },
  };
}

/** Everything that can be said of a request without running it. `ready` is null if anything is wrong. */
function* check(
  request: ExecuteRequest,
  config: EngineConfig,
  limits: Limits,
  options: PrepareOptions,
  inputsCount: boolean,
): Steps<{ issues: Issues; ready: Ready | null }> {
  const issues = new Issues();
  const { types, runtime } = config;
  const { secrets = NO_SECRETS } = options;
  const allowed = options.nodeTypes && { allowed: new Set(options.nodeTypes) };
  const rules = { types, runtime, limits, secrets, ...allowed };
  const graph = yield* buildGraph(request.workflow, rules, issues);
  if (issues.list.length > 0) return { issues, ready: null };
  const plan = yield* planGraph(graph);
  const { selected, again, sent } = select(plan, request.options ?? {}, issues);
  if (issues.list.length > 0) return { issues, ready: null };
  const { checkpoint } = request;
  const seed = request.options?.seed ?? checkpoint?.seed ?? randomId(config);
  const reuse = yield* planReuse(request, graph, plan, seed, { selected, again });
  checkInputs(request, graph, selected, reuse, inputsCount, issues);
  if (issues.list.length > 0) return { issues, ready: null };
  return { issues, ready: { plan, seed, runId: checkpoint?.runId ?? null, reuse, selected, sent } };
}

/** Every selected input has a value, and every value an input. */
function checkInputs(
  request: ExecuteRequest,
  graph: Graph,
  selected: ReadonlySet<number> | null,
  reuse: Reuse,
  inputsCount: boolean,
  issues: Issues,
): void {
  const names = new Set<string>();
  for (const node of graph.nodes) if (node.input) names.add(node.input.name);
  for (const name of Object.keys(request.inputs ?? {})) {
    if (names.has(name)) continue;
    const path = `/inputs/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    issues.add("UNKNOWN_INPUT", `The workflow has no input "${name}"; ${instead(names)}`, path);
  }
  if (!inputsCount) return;
  for (const node of graph.nodes) {
    if (!node.input || node.input.default !== undefined || own(request.inputs, node.input.name) !== undefined)
      continue;
    if ((selected && !selected.has(node.index)) || reuse.top(node.id)) continue;
    const message = `The input "${node.input.name}" has no value: give it one in "inputs"`;
    issues.add("INPUT_MISSING", message, `/workflow/nodes/${node.position}`, { nodeId: node.id });
  }
}

function tighter(limits: Limits, wanted: Partial<Limits> | undefined): Limits {
  if (!wanted) return limits;
  const result: { -readonly [K in keyof Limits]: Limits[K] } = { ...limits };
  for (const name of Object.keys(limits) as (keyof Limits)[]) {
    result[name] = Math.min(limits[name], wanted[name] ?? limits[name]);
  }
  return result;
}

/** 128 random bits in hexadecimal digits. */
function randomId(config: EngineConfig): string {
  let id = "";
  for (const byte of config.random(16)) id += (byte + 0x100).toString(16).slice(1);
  return id;
}
