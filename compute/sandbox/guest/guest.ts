import { CONSOLE, DRIVER } from "./driver.ts";
import { ES2023, EVERYWHERE } from "./es2023.ts";
import { REALM } from "./realm.ts";
import { VALUES } from "./values.ts";

/**
 * The greater part of what a fresh context needs, for hosts that can keep its result in a snapshot. Its value is a function:
 * called with the name of a global to leave alone for now, it gives `finish(log, late)` and `late()`. Where engines add to
 * contexts that they make from a snapshot, `late()` finds out what, as JSON, once; `finish` takes it away in all others, and
 * gives `{begin, step, take}`.
 */
export const PREPARE = `(function (spared) { "use strict";
let webAssembly = globalThis.WebAssembly;
${REALM}
${VALUES}
${DRIVER}
${CONSOLE}
const list = targets(${JSON.stringify(ES2023)});
const everywhere = ${JSON.stringify(EVERYWHERE)};
prune(list, survey(list, everywhere), spared);
stopClock();
const violations = deny();
const has = uncurry(WeakSet.prototype.has);
const isViolation = (error) => has(violations, error);
hasten(list);
const late = () => printJson(survey(list, everywhere));
function finish(log, found) {
  webAssembly = globalThis.WebAssembly || webAssembly;
  if (found !== undefined) prune(list, parseJson(found));
  installConsole(log);
  return { begin, step, take };
}
return { late, finish };
})`;

/**
 * The script that makes a fresh context into one that programs may see. Its value is a function: called once with
 * `log(level, message)`, it takes away what programs aren't promised and gives `{begin, step, take}` (see `driver.ts`), which the
 * host keeps where no program can reach it. The same script on every host.
 */
export const GUEST = `(function (log) { "use strict"; return ${PREPARE}().finish(log); })`;
