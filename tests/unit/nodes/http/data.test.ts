import { describe, expect, test } from "vitest";
import { originOf } from "../../../../compute/nodes/http/data.ts";

describe("the origin that a template's text already says", () => {
  test.each([
    ["https://api.example.org", "https://api.example.org"],
    ["https://api.example.org/items?q=1", "https://api.example.org"],
    ["HTTPS://API.Example.org:443/", "https://api.example.org"],
    ["https://api.example.org/{{path}}", "https://api.example.org"],
    ["https://api.example.org?{{query}}", "https://api.example.org"],
    ["http://api.example.org:8080#{{fragment}}", "http://api.example.org:8080"],
  ])("%s", (text, origin) => {
    expect(originOf(text)).toBe(origin);
  });

  // What is filled in may go on with the host, the port, or a name before an @.
  test.each([
    "{{url}}",
    "https://{{host}}/",
    "https://api.example.org{{more}}",
    "https://api.example.org:80{{port}}/",
    "https://api.example.org:{{port}}/",
    "https://{{name}}@api.example.org/",
    "{{scheme}}://api.example.org/",
  ])("is not known of %s", (text) => {
    expect(originOf(text)).toBeNull();
  });
});
