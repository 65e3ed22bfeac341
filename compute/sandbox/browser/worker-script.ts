import { GUEST } from "../guest/guest.ts";
import { SCRIPT_NAME } from "../script-name.ts";

/**
 * What a worker does: installs the guest, and then what its port says. What it needs of the host it takes before, since the
 * guest takes it away from everybody.
 *
 * It is told `["begin", script, text, ...buffers]` once and `["step"]` for each value, and answers with `["ready"]`,
 * `["log", level, message]`, `["taken", computedMs, state, text, ...buffers]` and `["broken", message]`.
 */
export const WORKER_SCRIPT = `(function () { "use strict";
const { apply, getOwnPropertyDescriptor } = Reflect;
const evaluate = eval;
const text = String;
const { postMessage } = MessagePort.prototype;
const { get: readData } = getOwnPropertyDescriptor(MessageEvent.prototype, "data");
const { get: readPorts } = getOwnPropertyDescriptor(MessageEvent.prototype, "ports");
const { now } = Performance.prototype;
const clock = performance;
// A message to oneself arrives once there is nothing left for promises to do.
const { port1: later, port2: sooner } = new MessageChannel();
self.onmessage = (first) => {
  self.onmessage = null;
  const port = apply(readPorts, first, [])[0];
  const send = (message) => apply(postMessage, port, [message]);
  const guest = ${GUEST};
  const { begin, step, take } = guest((level, message) => send(["log", level, message]));
  let began = 0;
  later.onmessage = () => send(["taken", apply(now, clock, []) - began, ...take()]);
  port.onmessage = (event) => {
    const [order, script, ...given] = apply(readData, event, []);
    try {
      began = apply(now, clock, []);
      if (order === "begin") begin(evaluate(script + "\\n//# sourceURL=${SCRIPT_NAME}"), given);
      step();
      apply(postMessage, sooner, [null]);
    } catch (error) {
      send(["broken", text(error)]);
    }
  };
  send(["ready"]);
};
})();`;
