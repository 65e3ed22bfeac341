import { expect, test } from "vitest";
import { TextCache } from "../../../compute/nodes/text-cache.ts";

test("forgets what has gone unused for longest, once the texts are too long together", () => {
  const cache = new TextCache<number>(6);
  cache.set("aa", 1);
  cache.set("bb", 2);
  cache.set("cc", 3);
  expect(cache.get("aa")).toBe(1);
  cache.set("dd", 4);
  expect(["aa", "bb", "cc", "dd"].map((text) => cache.get(text))).toEqual([1, undefined, 3, 4]);
  cache.set("aa", 1);
  cache.set("a very long text", 5);
  expect(cache.get("a very long text")).toBeUndefined();
});

test("a text that is set again counts once", () => {
  const cache = new TextCache<number>(4);
  for (let i = 0; i < 10; i++) cache.set("aa", 1);
  cache.set("bb", 2);
  expect([cache.get("aa"), cache.get("bb")]).toEqual([1, 2]);
});
