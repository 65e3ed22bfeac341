import { once } from "node:events";
import { connect, type Socket } from "node:net";

const HEAD_END = "\r\n\r\n";
const BODY_END = "0\r\n\r\n";

/** The bytes of a `POST` with a JSON body. */
export function postOf(url: URL, path: string, body: unknown): Buffer {
  const json = JSON.stringify(body);
  const head = [
    `POST ${path} HTTP/1.1`,
    `Host: ${url.host}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(json)}`,
  ];
  return Buffer.from(`${head.join("\r\n")}${HEAD_END}${json}`);
}

/** When the first event of an answer was there, and how long all of it was. Times are microseconds since the request. */
export interface Answer {
  readonly firstEvent: number;
  readonly end: number;
  /** Of the whole answer, with its framing. */
  readonly bytes: number;
}

/**
 * One kept-alive connection that reads answers in chunks and knows no more of HTTP than that: what a client costs should
 * not blur what the server costs.
 */
export class Connection implements Disposable {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async open(url: URL): Promise<Connection> {
    const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
    await once(socket, "connect");
    return new Connection(socket);
  }

  /** Sends a request and reads its answer to the end. `each` gets every piece as it comes. */
  exchange(request: Buffer, each: (piece: Buffer) => void = () => {}): Promise<Answer> {
    return this.#send(request, each, BODY_END);
  }

  /** Sends a request and leaves its answer open once the first event is there. */
  begin(request: Buffer): Promise<Answer> {
    return this.#send(request, () => {}, null);
  }

  #send(request: Buffer, each: (piece: Buffer) => void, end: string | null): Promise<Answer> {
    const socket = this.#socket;
    const start = performance.now();
    const since = () => (performance.now() - start) * 1000;
    let firstEvent = 0;
    let bytes = 0;
    let head = "";
    return new Promise((resolve, reject) => {
      const finish = (error?: Error) => {
        socket.off("data", read).off("close", closed).off("error", finish);
        if (error) reject(error);
        else resolve({ firstEvent, end: since(), bytes });
      };
      const closed = () => finish(new Error(`The server closed the connection after: ${head.slice(0, 500)}`));
      const read = (piece: Buffer) => {
        bytes += piece.length;
        if (firstEvent === 0) {
          head += piece.toString("latin1");
          if (head.indexOf("data:", head.indexOf(HEAD_END)) > 0) firstEvent = since();
        }
        each(piece);
        const over = end === null ? firstEvent > 0 : piece.subarray(-end.length).toString("latin1") === end;
        if (over) finish(head.startsWith("HTTP/1.1 200") ? undefined : new Error(head.slice(0, 500)));
      };
      socket.on("data", read).on("close", closed).on("error", finish);
      socket.write(request);
    });
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
