import { randomBytes } from 'node:crypto';

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
  /** Of this process: ids of another one mean other events. */
  readonly epoch = randomBytes(4).toString('hex');
  readonly #kept: ApplianceEvent[] = [];
  readonly #listeners = new Set<Listener>();
  readonly #counts = new Map<string, number>();
  #last = 0;
  #closed = false;

  emit(event: string, data: Readonly<Record<string, unknown>>): void {
    this.#last += 1;
    const entry = Object.freeze({ id: this.#last, time: new Date().toISOString(), event, data });
    this.#counts.set(event, (this.#counts.get(event) ?? 0) + 1);
    this.#kept.push(entry);
    if (this.#kept.length > KEPT) this.#kept.shift();
    for (const { next } of this.#listeners) next(entry);
  }

  /** Of the last event; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  /** How often what has happened. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** Events after the one with this id, as far as they are kept. */
  since(id: number): readonly ApplianceEvent[] {
    return this.#kept.filter((event) => event.id > id);
  }

  /** Returns what ends it. */
  subscribe(listener: Listener): () => void {
    if (this.#closed) listener.end();
    else this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** There will be no more: nobody need wait. */
  close(): void {
    this.#closed = true;
    for (const { end } of this.#listeners) end();
    this.#listeners.clear();
  }
}

export interface Listener {
  readonly next: (event: ApplianceEvent) => void;
  readonly end: () => void;
}
