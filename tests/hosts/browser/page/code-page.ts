export interface Speed {
  readonly sandboxMs: number;
  readonly plainMs: number;
}

/** What the test of programs calls in its page. */
export interface CodePage {
  /** The outputs of a run, as JSON. */
  run(workflow: unknown): Promise<string>;
  /** One body over `n`, in the sandbox and beside it. */
  speed(body: string, n: number): Promise<Speed>;
  /** From asking for a program to its value, in ms. */
  start(): Promise<number>;
}
