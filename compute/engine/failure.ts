import type { AttemptPart, Handled, NodePart } from "./parts.ts";
import { nodeError, retryAfter, retryDelay } from "./policy.ts";

/**
 * An attempt has failed. Either another one follows, then it and everything that had begun to read what it streamed is
 * withdrawn first; or the failure is final, and the node's `onError` says what becomes of the rest.
 */
export function handleFailure(node: NodePart, attempt: AttemptPart, error: unknown): void {
  // Nothing starts in between: what is to be withdrawn must not begin something first.
  node.scope.run.scheduler.withoutStarting(() => handle(node, attempt, error));
}

function handle(node: NodePart, attempt: AttemptPart, error: unknown): void {
  const { run } = node.scope;
  const { retry } = node.plan.policy;
  const told = nodeError(error, node.path, attempt.number);
  const failure = attempt.redaction?.error(told) ?? told;
  const info = failure.toJSON();
  node.failures += 1;
  const withdrawn = startedConsumers(node);
  const again = canStartAgain([node, ...withdrawn]);
  if (failure.retryable && retry && node.failures < retry.maxAttempts && again) {
    const delayMs = Math.max(retryDelay(retry, node.failures, run.config.random), retryAfter(failure));
    run.report.nodeFailed(node.path, attempt.number, info, { delayMs });
    withdrawAll([node, ...withdrawn]);
    waitThenRetry(node, delayMs);
    resume(withdrawn);
    return;
  }
  // Only a default is read again: with `skip` and `route`, whatever had begun to read is skipped.
  const readAgain = node.plan.policy.onError === "default" && !canStartAgain(withdrawn, node);
  const handling = readAgain ? null : handlingOf(node, failure);
  run.report.nodeFailed(node.path, attempt.number, info, handling ? { handled: handling.how } : {});
  if (handling) {
    node.withdrawOutputs();
    withdrawAll(withdrawn);
    node.finishAs(handling);
    resume(withdrawn);
  } else if (mayBeWithdrawn(node)) {
    node.withdrawOutputs();
    node.finishAs({ how: "fail", error: failure });
  } else {
    node.scope.fail(failure);
  }
}

/** Whether what the node has read may turn out never to have been: then so may its failure. */
function mayBeWithdrawn(node: NodePart): boolean {
  return node.plan.liveInputs.some((edge) => {
    const source = node.scope.node(edge.source);
    return !source.done && source.plan.withdraws;
  });
}

function handlingOf(node: NodePart, info: { code: string; message: string }): Handled | null {
  const { onError, default: fallback } = node.plan.policy;
  switch (onError) {
    case "fail":
      return null;
    case "skip":
      return { how: "skip" };
    case "default":
      return { how: "default", handle: "out", value: fallback ?? null };
    case "route":
      return { how: "route", handle: "error", value: { code: info.code, message: info.message } };
  }
}

/** Every started node that could have read what the node streamed, directly or through others, in topological order. */
function startedConsumers(node: NodePart): NodePart[] {
  const found = new Set<NodePart>();
  const search = [node];
  for (let at = search.pop(); at; at = search.pop()) {
    for (const { liveEdges } of at.plan.outputs) {
      for (const edge of liveEdges) {
        const target = node.scope.node(edge.target);
        if (!target.started || found.has(target)) continue;
        found.add(target);
        search.push(target);
      }
    }
  }
  return [...found].sort((a, b) => a.plan.index - b.plan.index);
}

/** Whether everything that these nodes would read again, from sources that stay, is still there. */
function canStartAgain(nodes: readonly NodePart[], gone?: NodePart): boolean {
  const starting = new Set(nodes);
  if (gone) starting.add(gone);
  return nodes.every((node) =>
    node.plan.liveInputs.every((edge) => {
      const source = node.scope.node(edge.source);
      return starting.has(source) || source.existing(edge.output)?.complete !== false;
    }),
  );
}

/** Withdraws nodes, sources first; all are reported before anything of a new attempt can be. */
function withdrawAll(nodes: readonly NodePart[]): void {
  for (const node of nodes) {
    node.scope.run.report.reset(node.path, node.attempts + 1);
    node.withdraw();
  }
}

function resume(nodes: readonly NodePart[]): void {
  for (const node of nodes) if (node.unknown === 0 && node.state === "waiting") node.decide();
}

function waitThenRetry(node: NodePart, delayMs: number): void {
  node.state = "retrying";
  node.scope.later(delayMs, () => {
    node.state = "waiting";
    resume([node]);
  });
}
