import { describe, expect, test } from "vitest";
import { retryAfterMs } from "../../../../compute/nodes/http/retry-after.ts";

const NOW = Date.parse("Fri, 20 Nov 2026 12:00:00 GMT");
const waitOf = (headers: Record<string, string>) => retryAfterMs(new Headers(headers), NOW);

describe("Retry-After", () => {
  test.each([
    ["0", 0],
    ["120", 120_000],
    [" 5 ", 5_000],
    ["Fri, 20 Nov 2026 12:00:30 GMT", 30_000],
    ["Fri, 20 Nov 2026 11:00:00 GMT", 0],
    ["soon", null],
    ["-1", null],
    ["", null],
  ])("%j", (header, ms) => {
    expect(waitOf({ "retry-after": header })).toBe(ms);
  });

  test("a date is by the server's own clock, where it tells that", () => {
    const headers = { "retry-after": "Fri, 20 Nov 2026 13:00:10 GMT", date: "Fri, 20 Nov 2026 13:00:00 GMT" };
    expect(waitOf(headers)).toBe(10_000);
  });

  test("nothing asks for nothing", () => {
    expect(waitOf({})).toBeNull();
  });
});
