/**
 * Closed while some role of this host asks Neutron for everything: its RPC worker answers one call after the other, and what nobody
 * waits for would only delay the lists. Never closed for longer than `patience` (milliseconds) at a time: a Neutron that answers one
 * role and not the other hears of the rest all the same.
 */
export class Gate {
  readonly #patience: number;
  readonly #holders = new Set<string>();
  readonly #listeners: (() => void)[] = [];
  /** Set exactly while it is closed. */
  #bound: NodeJS.Timeout | undefined;

  constructor(patience: number) {
    this.#patience = patience;
  }

  get isOpen(): boolean {
    return this.#bound === undefined;
  }

  /** Does the held-back work. Called whenever it opens. */
  onOpen(listener: () => void): void {
    this.#listeners.push(listener);
  }

  hold(holder: string): void {
    this.#holders.add(holder);
    this.#bound ??= setTimeout(() => this.#open(), this.#patience).unref();
  }

  /** Also tells the listeners when it had been opened by the clock meanwhile: what the holder was waiting for is known only now. */
  release(holder: string): void {
    if (this.#holders.delete(holder) && (this.#holders.size === 0 || this.isOpen)) this.#open();
  }

  #open(): void {
    clearTimeout(this.#bound);
    this.#bound = undefined;
    for (const listener of this.#listeners) listener();
  }
}
