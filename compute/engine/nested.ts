import { hash, NodeflowError, type Value } from "../../protocol/index.ts";
import type { Nested, NestedResult, NestedRun } from "./node-type.ts";
import type { AttemptPart, ScopeEnd, ScopePart } from "./parts.ts";
import type { PlanNode } from "./plan.ts";
import { ScopeNames } from "./scope-names.ts";

/** Runs the nested workflow of a container once: as the scope that `nested.scope` names, or directly under it. */
export function runNested(container: AttemptPart, nested: NestedRun): Nested {
  const { node } = container;
  const { run, reuses } = node.scope;
  const plan = node.plan.nested?.plan;
  if (!plan) throw new TypeError(`Node type "${node.plan.type.type}" declares no nested workflow`);
  if (container.over) return failed(new NodeflowError("NODE_FAILED", "The attempt is over"));

  container.scopes ??= new ScopeNames();
  container.scopes.use(nested.scope);
  const named = nested.scope !== undefined;
  const path = named ? `${node.path}/${nested.scope}` : node.path;
  const item = named ? hash([nested.given ?? null]) : undefined;
  const mayReuse =
    reuses && container.number === 1 && nested.reusable !== false && run.reuse.isPartial(node.path);
  if (mayReuse && item !== undefined) {
    const result = run.reuse.completedScope(path, item);
    if (result) return reused(container, path, result);
  }
  if (named && !run.countStart()) return failed(new NodeflowError("RESOURCE_EXHAUSTED", "The run is over"));

  const startedAt = run.report.now();
  const attempt = named && (node.scope.repeats || node.plan.restarts) ? run.startsOf(path) : 1;
  if (item !== undefined) run.report.started(path, attempt, { kind: "local" }, false, item);

  const { promise, resolve, reject } = Promise.withResolvers<NestedResult>();
  // A container that has been withdrawn may have stopped listening.
  promise.catch(() => undefined);
  const end: ScopeEnd = {
    completed: () => {
      over();
      if (named) run.report.scopeCompleted(path, attempt, run.report.now() - startedAt);
      resolve(scope.result());
    },
    failed: (error) => {
      over();
      reject(error);
    },
  };
  const partial = mayReuse && (item === undefined || run.reuse.isPartial(path, item));
  const scope = run.openScope(plan, `${path}/`, nested.inputs, container, partial, end);
  const forget = container.onOver(reject);
  const over = () => {
    forget();
    container.removeChild(scope);
  };
  container.addChild(scope);
  scope.begin(partial ? (inner) => earlier(scope, `${path}/${inner.id}`, inner) : null);
  return {
    result: promise,
    reused: false,
    get outputs() {
      return scope.outputs();
    },
  };
}

/** The outputs that a nested node had in an earlier run. */
function earlier(scope: ScopePart, path: string, node: PlanNode): Readonly<Record<string, Value>> | null {
  const { reuse, report } = scope.run;
  // An output has its source's value, so it can only be taken together with it.
  const alone = node.inputs.some(({ edges }) =>
    edges.some(({ source }) => scope.node(source).state !== "foregone"),
  );
  if (node.output && alone) return null;
  const outputs = reuse.completedNode(path, node);
  if (outputs) report.nodeReused(path);
  return outputs;
}

/** A scope that an earlier run completed. It takes its turn like one that is run: there may be very many of them. */
function reused(container: AttemptPart, path: string, result: NestedResult): Nested {
  const { run } = container.node.scope;
  const { promise, resolve, reject } = Promise.withResolvers<NestedResult>();
  promise.catch(() => undefined);
  const forget = container.onOver(reject);
  run.perform(
    (function* () {
      if (container.over) return;
      forget();
      run.report.nodeReused(path);
      resolve(result);
      yield;
    })(),
  );
  return { result: promise, outputs: {}, reused: true };
}

function failed(error: NodeflowError): Nested {
  const result = Promise.reject<NestedResult>(error);
  result.catch(() => undefined);
  return { result, outputs: {}, reused: false };
}
