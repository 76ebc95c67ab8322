/** Something that happened to an appliance; `data` is JSON without secrets. */
export interface ApplianceEvent {
  /** Grows by one with each event of a process. */
  readonly id: number;
  /** RFC 3339, UTC. */
  readonly time: string;
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Events kept for those who come late or were away. */
const KEPT = 256;

/** The last events of an appliance, and those who want to know the next ones. */
export class EventLog {
  readonly #kept: ApplianceEvent[] = [];
  readonly #listeners = new Set<(event: ApplianceEvent) => void>();
  #last = 0;

  emit(event: string, data: Readonly<Record<string, unknown>>): void {
    this.#last += 1;
    const entry = Object.freeze({ id: this.#last, time: new Date().toISOString(), event, data });
    this.#kept.push(entry);
    if (this.#kept.length > KEPT) this.#kept.shift();
    for (const listener of this.#listeners) listener(entry);
  }

  /** Events after the one with this id, as far as they are kept. */
  since(id: number): readonly ApplianceEvent[] {
    return this.#kept.filter((event) => event.id > id);
  }

  /** Returns what ends it. */
  subscribe(listener: (event: ApplianceEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
