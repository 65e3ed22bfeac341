import type { Clock, Random } from "../engine/index.ts";

type Turn = () => Promise<void>;

/** Hosts have one of these, at least `setTimeout`; not all of them are in every environment's types. */
interface TurnTaking {
  readonly setImmediate?: (callback: () => void) => unknown;
  readonly scheduler?: { readonly yield?: () => Promise<void> };
  readonly setTimeout: (callback: () => void, ms: number) => unknown;
}

/** The quickest way to let the event loop serve everything else once. Timers come last: browsers delay nested ones. */
function turnOf(host: TurnTaking): Turn {
  const { setImmediate, scheduler, setTimeout } = host;
  if (setImmediate) return () => new Promise((resolve) => setImmediate(resolve));
  if (scheduler?.yield) return () => scheduler.yield?.() ?? Promise.resolve();
  if (typeof MessageChannel === "function") return messageTurn();
  return () => new Promise((resolve) => setTimeout(resolve, 0));
}

/** One channel for all turns: a message is a task of its own, and messages arrive in order. */
function messageTurn(): Turn {
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  Object.assign(port1, { onmessage: () => waiting.shift()?.() });
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      port2.postMessage(null);
    });
}

/** Longer delays than this overflow to no delay at all in every host's `setTimeout`. */
const MAX_DELAY_MS = 2_147_483_647;

/** The host's own clock and event loop. */
export function webClock(): Clock {
  return {
    now: () => Date.now(),
    setTimer(callback, ms) {
      const id = setTimeout(callback, Math.min(ms, MAX_DELAY_MS));
      return { cancel: () => clearTimeout(id) };
    },
    turn: turnOf(globalThis),
  };
}

/** Asking the host costs about as much for a thousand bytes as for sixteen, so it is asked for more than is needed now. */
const POOL_BYTES = 1_024;
let pool = new Uint8Array(0);

/** The host's cryptographic source. No byte is given twice. */
export const webRandom: Random = (bytes) => {
  if (bytes > pool.length) pool = crypto.getRandomValues(new Uint8Array(Math.max(bytes, POOL_BYTES)));
  const taken = pool.slice(0, bytes);
  pool.fill(0, 0, bytes);
  pool = pool.subarray(bytes);
  return taken;
};
