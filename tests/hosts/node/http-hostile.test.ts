import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { calling, OWN_MACHINE } from "./calling.ts";

/** A server that says these bytes to whoever asks, whatever was asked, and then does as told. */
async function saying(bytes: string | Buffer, then: "end" | "reset" | "wait" = "end") {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("data", () => {
      socket.write(bytes, () => {
        if (then === "end") socket.end();
        if (then === "reset") socket.resetAndDestroy();
      });
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const OK = "HTTP/1.1 200 OK\r\n";
const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n`;

const HOSTILE: [what: string, bytes: string | Buffer, then?: "end" | "reset"][] = [
  ["nothing", ""],
  ["nothing, rudely", "", "reset"],
  ["what isn't HTTP", "SSH-2.0-OpenSSH_9.9\r\n"],
  ["bytes", Buffer.from(Array.from({ length: 4_096 }, (_, at) => (at * 7_919) % 256))],
  ["headers without end", `${OK}x: ${"y".repeat(2_000_000)}`],
  ["too many headers", `${OK}${Array.from({ length: 50_000 }, (_, at) => `x-${at}: y\r\n`).join("")}\r\n{}`],
  ["a status that isn't one", "HTTP/1.1 999 Whatever\r\ncontent-length: 2\r\n\r\n{}"],
  ["a status of no digits", "HTTP/1.1 abc OK\r\ncontent-length: 2\r\n\r\n{}"],
  ["another protocol", "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nhello"],
  ["two lengths", `${OK}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`],
  ["a length below nothing", `${OK}content-length: -1\r\n\r\n{}`],
  ["too little", `${OK}content-length: 10\r\n\r\n{}`],
  ["a chunk of no size", `${CHUNKED}zz\r\n{}\r\n0\r\n\r\n`],
  ["a chunk of any size", `${CHUNKED}ffffffffffffffff\r\n{}\r\n0\r\n\r\n`],
  ["half a chunk", `${CHUNKED}ff\r\n{}`, "reset"],
  ["gzip that isn't", `${OK}content-encoding: gzip\r\ncontent-length: 5\r\n\r\nhello`],
  [
    "brotli that isn't",
    Buffer.from(`${OK}content-encoding: br\r\ncontent-length: 5\r\n\r\n\xff\xff\xff\xff\xff`, "latin1"),
  ],
  ["a redirect to nowhere", "HTTP/1.1 302 Found\r\nlocation: http://\r\ncontent-length: 0\r\n\r\n"],
  [
    "a redirect to somewhere very long",
    `HTTP/1.1 302 Found\r\nlocation: https://${"a".repeat(10_000)}/\r\ncontent-length: 0\r\n\r\n`,
  ],
];

describe("a server that answers with", () => {
  test.each(HOSTILE)("%s fails the node, and nothing else", async (_, bytes, then) => {
    await using server = await saying(bytes, then);
    await using host = calling();
    for (const read of ["json", "bytes"]) {
      const { error, updates } = await host.call({ url: server.url, read });
      expect(error?.code).toBe("UPSTREAM_ERROR");
      expect(updates.at(-1)?.type).toBe("execution-failed");
      expect(error?.message.length).toBeLessThan(1_000);
    }
  });

  test("bytes that never stop coming is left once it has sent as much as it may", async () => {
    const chunk = Buffer.concat([Buffer.from("10000\r\n"), Buffer.alloc(0x10000, "x"), Buffer.from("\r\n")]);
    let open = true;
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("close", () => {
        open = false;
      });
      socket.write(CHUNKED);
      const more = () => {
        while (open && socket.write(chunk));
      };
      socket.on("drain", more);
      more();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    await using host = calling({ ...OWN_MACHINE, NODEFLOW_MAX_RESPONSE_BYTES: "5000000" });
    expect((await host.call({ url, read: "text" })).error?.code).toBe("OUTPUT_TOO_LARGE");
    await expect.poll(() => open).toBe(false);
    await new Promise((resolve) => server.close(resolve));
  });
});
