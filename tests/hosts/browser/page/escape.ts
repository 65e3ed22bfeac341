import { FRAME_SANDBOX, frameDocument } from "../../../../compute/sandbox/browser/frame-script.ts";
import type { EscapePage } from "./escape-page.ts";

const PATIENCE_MS = 3_000;

const bodyOf = (text: string, canary: string) =>
  `const say = (what) => port.postMessage(what); const wait = (ms) => new Promise((r) => setTimeout(r, ms));
  (async () => { ${text.replaceAll("CANARY", canary).replaceAll("PAGE", location.href)} })().then(() => say("did it"), (error) => say("failed: " + error));`;

const escapePage: EscapePage = {
  async attempt(place, text, canary) {
    const body = bodyOf(text, canary);
    const heard = new Promise<string>((resolve) => {
      new BroadcastChannel("x").onmessage = ({ data }) => resolve(String(data));
    });
    const frame = document.createElement("iframe");
    frame.setAttribute("sandbox", FRAME_SANDBOX);
    const worker = `self.onmessage = ({ ports: [port] }) => { ${body} }`;
    const spawn = `const worker = new Worker(URL.createObjectURL(new Blob([${JSON.stringify(worker)}]))); worker.postMessage(0, [port]);`;
    const script = place === "worker" ? spawn : body;
    frame.srcdoc = frameDocument(
      crypto.randomUUID(),
      `addEventListener("message", ({ ports: [port] }) => { ${script} }, { once: true });`,
    );
    const { port1, port2 } = new MessageChannel();
    const said = new Promise<string>((resolve) => {
      port1.onmessage = ({ data }) => resolve(String(data));
    });
    frame.onload = () => frame.contentWindow?.postMessage(null, "*", [port2]);
    document.documentElement.append(frame);
    const nothing = new Promise<string>((resolve) => setTimeout(resolve, PATIENCE_MS, "said nothing"));
    const told = await Promise.race([said, heard, nothing]);
    frame.remove();
    return told;
  },
};

Object.assign(globalThis, { escapePage });
