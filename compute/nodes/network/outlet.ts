/** One request as it leaves the host. */
export interface Outgoing {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  /** Aborting it closes the connection, while headers are waited for and while the body is read. */
  readonly signal: AbortSignal;
}

/** What comes back: the part of `Response` that every host's has. Bodies are decompressed. */
export interface Incoming {
  readonly status: number;
  readonly headers: Pick<Headers, "get" | "entries">;
  readonly body: ReadableStream<Uint8Array> | null;
}

/**
 * The way out of a host. Whatever keeps requests from addresses that workflows must not reach is in here, because only the
 * host knows what a name stands for at the moment of connecting.
 */
export interface Outlet {
  /** Why nothing at this URL may be called, as far as the URL itself tells; null if it may. */
  refusal(url: URL): string | null;
  /**
   * Sends one request. Redirects come back as they are, except in pages, whose `fetch` doesn't show them. Rejects with a
   * `NodeflowError` for what is refused once addresses are known, and with whatever the host throws if the network fails.
   */
  send(request: Outgoing): Promise<Incoming>;
}
