/** Runs tasks one after another, in the order they were given. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task);
    // The caller sees the failure through `result`; the next task starts all the same.
    this.#last = result.catch(() => undefined);
    return result;
  }
}
