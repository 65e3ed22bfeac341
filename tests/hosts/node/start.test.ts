import { describe, expect, test } from "vitest";
import { EnvironmentError } from "../../../compute/hosts/environment.ts";
import { exampleCall, startFrom } from "../../../compute/hosts/node-start.ts";
import { cli } from "./cli-process.ts";
import { serve } from "./service-harness.ts";

const silent = { info: () => undefined, error: () => undefined };

describe("starting", () => {
  test("on a port in use says which, and what to change", async () => {
    await using served = await serve();
    const started = startFrom({ PORT: String(served.port) }, { logger: silent });
    await expect(started).rejects.toThrow(EnvironmentError);
    await expect(started).rejects.toThrow(`Port ${served.port} is in use; set PORT to another`);
    const { code, err } = await cli(["serve", "--port", String(served.port)]);
    expect(err).toBe(`error: Port ${served.port} is in use; set PORT to another\n`);
    expect(code).toBe(2);
  });

  test("warns of variables that mean nothing, in one line", async () => {
    const said: string[] = [];
    const logger = { ...silent, info: (line: string) => said.push(line) };
    const { server } = await startFrom({ PORT: "0", NODEFLOW_MAX_NODE: "1", NODEFLOW_X: "" }, { logger });
    await server.close();
    expect(said[0]).toBe("Warning: nothing here is set by NODEFLOW_MAX_NODE, NODEFLOW_X");
    expect(said.filter((line) => line.startsWith("Warning"))).toHaveLength(1);
  });

  test("suggests a call that reaches it, with a token where one is needed, and keeps line breaks", () => {
    expect(exampleCall("http://0.0.0.0:8787", true)).toBe(
      "curl -N http://127.0.0.1:8787/execute -H 'authorization: Bearer TOKEN' " +
        "-H 'content-type: application/json' --data-binary @examples/hello.json",
    );
    expect(exampleCall("http://[::]:1", false)).toMatch(/^curl -N http:\/\/\[::1\]:1\/execute -H 'content/);
  });
});
