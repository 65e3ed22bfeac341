import { type ConformancePage, conformance, type Report } from "./conformance.ts";

const page: ConformancePage = {
  inPage: conformance,
  async inServiceWorker() {
    await navigator.serviceWorker.register("/service-worker.js");
    const { active } = await navigator.serviceWorker.ready;
    if (!active) throw new Error("the service worker isn't active");
    return await new Promise((resolve, reject) => {
      const channel = new MessageChannel();
      channel.port1.onmessage = ({ data }: MessageEvent<{ report?: Report; error?: string }>) => {
        channel.port1.close();
        if (data.report) resolve(data.report);
        else reject(new Error(data.error));
      };
      active.postMessage("conformance", [channel.port2]);
    });
  },
};

Object.assign(globalThis, { conformancePage: page });
