/**
 * JavaScript Promise Integration (WebAssembly CG, phase 5): a stack of WebAssembly is put aside until a promise settles. Where a
 * host doesn't have it, calls go through as they are and nothing is put aside.
 */
interface PromiseIntegration {
  readonly Suspending?: new (callee: () => unknown) => () => unknown;
  readonly promising?: (callee: Exported) => (...args: number[]) => Promise<number>;
}

type Exported = (...args: number[]) => number;

const integration: PromiseIntegration = WebAssembly;

/** Whether what a module computes can be interrupted by other things on the same thread. */
export const CAN_SUSPEND = integration.Suspending !== undefined && integration.promising !== undefined;

/** An import that puts its caller aside if it gives a promise. */
export function suspending(callee: () => unknown): () => unknown {
  return CAN_SUSPEND && integration.Suspending ? new integration.Suspending(callee) : callee;
}

/** An export whose caller waits while it is put aside. */
export function promising(callee: Exported): (...args: number[]) => Promise<number> | number {
  return CAN_SUSPEND && integration.promising ? integration.promising(callee) : callee;
}
