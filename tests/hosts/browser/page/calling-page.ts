/** What the test calls by name. */
export interface CallingPage {
  /** Runs one `http` node; cancels the run after so many of its outputs. Updates as JSON: pages pass on nothing else. */
  call(data: object, cancelAfter?: number): Promise<string>;
}
