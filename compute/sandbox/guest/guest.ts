import { CONSOLE, DRIVER } from "./driver.ts";
import { ES2023, EVERYWHERE } from "./es2023.ts";
import { REALM } from "./realm.ts";
import { VALUES } from "./values.ts";

/**
 * The script that makes a fresh context into one that programs may see. Its value is a function: called once with
 * `log(level, message)`, it takes away what programs aren't promised and gives `{begin, step, take}` (see `driver.ts`), which the
 * host keeps where no program can reach it. The same script on every host.
 */
export const GUEST = `(function (log) { "use strict";
const webAssembly = globalThis.WebAssembly;
${REALM}
${VALUES}
${DRIVER}
${CONSOLE}
prune(${JSON.stringify(ES2023)}, ${JSON.stringify(EVERYWHERE)});
stopClock();
const violations = deny();
const has = uncurry(WeakSet.prototype.has);
const isViolation = (error) => has(violations, error);
installConsole(log);
return { begin, step, take };
})`;
