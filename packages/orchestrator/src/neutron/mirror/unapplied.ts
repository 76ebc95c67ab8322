import type { Stamp } from './guarded.ts';

interface Change {
  readonly stamp: Stamp;
  /** When Neutron committed it: milliseconds since the epoch. */
  readonly at: number;
}

/** Enough to be exact in practice; the oldest is what is asked for, so it is kept. */
const KEEP = 32;

/** Per resource, the changes that no applied configuration contains yet. */
export class Unapplied {
  readonly #changes = new Map<string, Change[]>();

  record(resource: string, stamp: Stamp, at: number | undefined): void {
    if (at === undefined) return;
    const changes = this.#changes.get(resource) ?? [];
    if (changes.length >= KEEP) changes.pop();
    changes.push({ stamp, at });
    this.#changes.set(resource, changes);
  }

  /** When the earliest of them was committed. */
  since(resource: string): number | undefined {
    const changes = this.#changes.get(resource);
    return changes === undefined ? undefined : Math.min(...changes.map((change) => change.at));
  }

  /** What was read from the mirror at `stamp` is in force. */
  applied(resource: string, stamp: Stamp): void {
    const rest = (this.#changes.get(resource) ?? []).filter((change) => change.stamp > stamp);
    if (rest.length === 0) this.#changes.delete(resource);
    else this.#changes.set(resource, rest);
  }

  forget(resource: string): void {
    this.#changes.delete(resource);
  }
}
