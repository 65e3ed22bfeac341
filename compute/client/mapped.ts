/** What one item becomes: any number of others, and whether it is the last that matters. */
export interface Mapping<U> {
  readonly items: readonly U[];
  readonly last?: boolean;
}

/**
 * An iterator over what another one's items become. The other is opened by the first read, together with `begin`, which
 * gives what comes before all else: nothing happens between the two.
 */
export class Mapped<T, U> implements AsyncIterableIterator<U, undefined> {
  readonly #open: () => AsyncIterator<T, undefined>;
  readonly #map: (item: T) => Mapping<U>;
  readonly #begin: () => Mapping<U>;
  #source: AsyncIterator<T, undefined> | null = null;
  #ready: U[] = [];
  #over = false;

  constructor(
    open: () => AsyncIterator<T, undefined>,
    map: (item: T) => Mapping<U>,
    begin: () => Mapping<U> = () => ({ items: [] }),
  ) {
    this.#open = open;
    this.#map = map;
    this.#begin = begin;
  }

  async next(): Promise<IteratorResult<U, undefined>> {
    if (!this.#source && !this.#over) {
      this.#source = this.#open();
      await this.#take(this.#begin());
    }
    for (;;) {
      const [item] = this.#ready.splice(0, 1);
      if (item !== undefined) return { done: false, value: item };
      if (this.#over || !this.#source) return { done: true, value: undefined };
      const next = await this.#source.next();
      if (next.done) this.#over = true;
      else await this.#take(this.#map(next.value));
    }
  }

  async return(): Promise<IteratorResult<U, undefined>> {
    this.#over = true;
    this.#ready = [];
    await this.#source?.return?.();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #take({ items, last }: Mapping<U>): Promise<void> {
    this.#ready.push(...items);
    if (!last) return;
    this.#over = true;
    await this.#source?.return?.();
  }
}
