/** An iterator as a stream that reads nothing ahead: what isn't asked for isn't taken. Cancelling it leaves the iterator. */
export function readable<T>(iterator: AsyncIterator<T, undefined>): ReadableStream<T> {
  return new ReadableStream<T>(
    {
      async pull(controller) {
        const next = await iterator.next();
        if (next.done) controller.close();
        else controller.enqueue(next.value);
      },
      async cancel() {
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
