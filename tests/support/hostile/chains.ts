import { Prng } from "../random.ts";
import { ESCAPES, type Escape } from "./escapes.ts";

/** A program that tries random chains of properties and calls, and looks at all that comes of them. */
export function chainsOf(seed: number): Escape {
  const random = new Prng(seed);
  const steps = [
    ".constructor",
    ".__proto__",
    ".prototype",
    "['constructor']",
    ".caller",
    ".arguments",
    ".valueOf?.()",
    ".call?.(null, 'return process')",
    ".apply?.(globalThis, ['return this'])",
    ".bind?.(null)",
    "?.('return process')",
    "?.[Symbol.iterator]?.()",
    ".next?.()",
    ".then?.((x) => x)",
    ".stack",
    "?.()",
    ".toString",
    ".__lookupGetter__?.('x')",
  ];
  const roots = [
    "inputs",
    "console.log",
    "(() => {})",
    "globalThis",
    "new Error('x')",
    "Promise.resolve()",
    "[]",
    "(async () => {})()",
    "Symbol",
    "Proxy",
    "Reflect.construct",
  ];
  const chains = Array.from({ length: 300 }, () => {
    const length = random.int(1, 7);
    return random.pick(roots) + Array.from({ length }, () => random.pick(steps)).join("");
  });
  const [prelude = ""] = (ESCAPES[0]?.source ?? "").split("export default");
  const tries = chains.map((chain) => `() => ${chain}`).join(",\n");
  const source = `${prelude}\nexport default (inputs) => { const found = []; for (const f of [${tries}]) { try { found.push(...look(f())) } catch (error) { found.push(...look(error)) } } return found }`;
  return { name: "chains", source };
}
