/** What the test of escapes calls in its page. */
export interface EscapePage {
  /**
   * Runs a text where programs run, but before anything is taken away; `CANARY` in it is an address, `PAGE` the page's. What it
   * said, or what it failed with.
   */
  attempt(place: "worker" | "frame", text: string, canary: string): Promise<string>;
}
