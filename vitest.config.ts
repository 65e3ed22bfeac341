import { defineConfig } from "vitest/config";

/**
 * One project a sort of test. The first two share the cores; those that drive a real host (and measure time, memory
 * and sockets) follow one after another, so that a busy neighbour never explains a failure.
 */
const alone = (order: number) => ({
  maxWorkers: 1,
  fileParallelism: false,
  testTimeout: 60_000,
  hookTimeout: 60_000,
  sequence: { groupOrder: order },
});

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["tests/{unit,contract,regression,conformance,support}/**/*.test.ts"],
          testTimeout: 10_000,
        },
      },
      {
        test: {
          name: "property",
          include: ["tests/{property,simulation}/**/*.test.ts"],
          testTimeout: 300_000,
        },
      },
      { test: { name: "hosts-node", include: ["tests/hosts/node/**/*.test.ts"], ...alone(1) } },
      { test: { name: "hosts-workers", include: ["tests/hosts/workers/**/*.test.ts"], ...alone(2) } },
      { test: { name: "hosts-browser", include: ["tests/hosts/browser/**/*.test.ts"], ...alone(3) } },
    ],
  },
});
