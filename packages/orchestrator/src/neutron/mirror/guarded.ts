/**
 * When something was observed, on the mirror's own clock: a counter, so that no clock of any host matters.
 * A list is as old as the request for it; a patch (cast, notification) as old as its arrival.
 */
export type Stamp = number;

/** `list`: an answer of Neutron to a question of ours. `patch`: what Neutron told unasked, which may be late or doubled. */
export type Source = 'list' | 'patch';

interface Entry<T> {
  readonly value: T;
  /** When this value was observed. */
  readonly stamp: Stamp;
  /** When the object was last seen to exist, in whatever revision. */
  readonly seen: Stamp;
}

/**
 * Objects of one kind by id. The higher revision wins; of equal ones, the observation that began later. A deletion is
 * remembered until a list begun after it has brought the object back, or {@link forget}.
 */
export class Guarded<T extends { readonly id: string; readonly revision_number: number }> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #deleted = new Map<string, Stamp>();
  /** Objects that a list did not have any more: patches of this revision and older are late. */
  readonly #absent = new Map<string, { readonly revision: number; readonly stamp: Stamp }>();

  get(id: string): T | undefined {
    return this.#entries.get(id)?.value;
  }

  /** The value, and when it was observed. */
  observed(id: string): { readonly value: T; readonly stamp: Stamp } | undefined {
    return this.#entries.get(id);
  }

  values(): T[] {
    return [...this.#entries.values()].map((entry) => entry.value);
  }

  /** When the object was last seen to exist. */
  seen(id: string): Stamp {
    return this.#entries.get(id)?.seen ?? 0;
  }

  /** Whether the value was taken. False: something newer is known, or the object was deleted since. */
  put(value: T, stamp: Stamp, source: Source): boolean {
    const { id, revision_number: revision } = value;
    if (this.#refused(id, revision, stamp, source)) return false;
    const held = this.#entries.get(id);
    if (held === undefined) {
      this.#entries.set(id, { value, stamp, seen: stamp });
      return true;
    }
    const seen = Math.max(held.seen, stamp);
    const older = revision < held.value.revision_number;
    const taken = !older && (revision > held.value.revision_number || stamp >= held.stamp);
    this.#entries.set(id, taken ? { value, stamp, seen } : { ...held, seen });
    return taken;
  }

  /** The object was deleted; answers what was held of it. */
  delete(id: string, stamp: Stamp): T | undefined {
    this.#deleted.set(id, Math.max(stamp, this.#deleted.get(id) ?? 0));
    return this.drop(id);
  }

  /** A list begun at `began` did not have the object. Answers what was held, unless it was seen since. */
  missing(id: string, began: Stamp): T | undefined {
    const held = this.#entries.get(id);
    if (held === undefined || held.seen >= began) return undefined;
    this.#absent.set(id, { revision: held.value.revision_number, stamp: began });
    return this.drop(id);
  }

  /** No longer of interest here, which says nothing about its existence. */
  drop(id: string): T | undefined {
    const held = this.#entries.get(id)?.value;
    this.#entries.delete(id);
    return held;
  }

  /** A list begun at `began` has come back: what was remembered of earlier deletions is in it. */
  forget(began: Stamp): void {
    for (const [id, stamp] of this.#deleted) if (stamp < began) this.#deleted.delete(id);
    for (const [id, { stamp }] of this.#absent) if (stamp < began) this.#absent.delete(id);
  }

  #refused(id: string, revision: number, stamp: Stamp, source: Source): boolean {
    const deleted = this.#deleted.get(id);
    const absent = this.#absent.get(id);
    if (source === 'patch') return deleted !== undefined || (absent !== undefined && revision <= absent.revision);
    if (deleted !== undefined && stamp <= deleted) return true;
    if (absent !== undefined && stamp < absent.stamp) return true;
    this.#deleted.delete(id);
    this.#absent.delete(id);
    return false;
  }
}
