/** Remembers what texts were read as, the latest ones. When full it forgets what has gone unused for longest. */
export class TextCache<Entry> {
  readonly #capacity: number;
  readonly #entries = new Map<string, Entry>();
  #chars = 0;

  /** The capacity is the length of all texts together: what they are read as grows with them. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(text: string): Entry | undefined {
    const entry = this.#entries.get(text);
    if (entry === undefined) return undefined;
    this.#entries.delete(text);
    this.#entries.set(text, entry);
    return entry;
  }

  /** A text that is longer than the capacity isn't kept. */
  set(text: string, entry: Entry): void {
    if (this.#entries.has(text)) return;
    this.#entries.set(text, entry);
    this.#chars += text.length;
    for (const oldest of this.#entries.keys()) {
      if (this.#chars <= this.#capacity) return;
      this.#entries.delete(oldest);
      this.#chars -= oldest.length;
    }
  }
}
