import type { InstanceView, ResourceKey } from '@astara/model/instance.ts';
import { sameAttachments, servicesRun } from '../lifecycle/situation.ts';

export function nameOf({ kind, id }: ResourceKey): string {
  return `${kind}/${id}`;
}

/**
 * What the provider showed last, so that a reconcile needs no listing. Refreshed by listings and by what each operation
 * answers. An operation knows better than a listing that was under way at the same time.
 */
export class Observed {
  readonly #views = new Map<string, InstanceView>();
  readonly #byResource = new Map<string, Set<string>>();
  /** Instance → when an operation on it began or ended last. */
  readonly #touched = new Map<string, number>();
  readonly #busy = new Set<string>();
  #tick = 0;
  #filled = false;

  /** Whether the provider has ever been listed. */
  get filled(): boolean {
    return this.#filled;
  }

  all(): Iterable<InstanceView> {
    return this.#views.values();
  }

  /** The instances of a resource; undefined before the first listing. */
  of(key: ResourceKey): readonly InstanceView[] | undefined {
    if (!this.#filled) return undefined;
    const ids = this.#byResource.get(nameOf(key));
    if (ids === undefined) return [];
    return [...ids].flatMap((id) => this.#views.get(id) ?? []);
  }

  /** To be called before a listing is asked for, and handed to {@link Observed.replace} with what it answered. */
  beginList(): number {
    return this.#tick++;
  }

  /** Answers with the resources whose instances are not what was known of them. */
  replace(views: readonly InstanceView[], begun: number): ResourceKey[] {
    const first = !this.#filled;
    this.#filled = true;
    const changed = new Map<string, ResourceKey>();
    const listed = new Map(views.map((view) => [view.id, view]));
    for (const id of new Set([...this.#views.keys(), ...listed.keys()])) {
      if (this.#busy.has(id) || (this.#touched.get(id) ?? -1) > begun) continue;
      const was = this.#views.get(id);
      const is = listed.get(id);
      if (is === undefined) this.#delete(id);
      else this.#set(is);
      if (first || !alike(was, is)) {
        for (const view of [was, is]) if (view !== undefined) changed.set(nameOf(view.resource), view.resource);
      }
    }
    for (const [id, at] of this.#touched) if (at < begun) this.#touched.delete(id);
    return [...changed.values()];
  }

  /** Does `work` on the instance; listings that overlap it are not believed about it. */
  async during<T>(id: string, work: () => Promise<T>): Promise<T> {
    this.#busy.add(id);
    try {
      return await work();
    } finally {
      this.#busy.delete(id);
      this.#touched.set(id, this.#tick++);
    }
  }

  put(view: InstanceView): void {
    this.#set(view);
  }

  applied(id: string, applied: { readonly generation: number; readonly etag: string }): void {
    const view = this.#views.get(id);
    if (view !== undefined) this.#set({ ...view, applied: { generation: applied.generation, etag: applied.etag } });
  }

  remove(id: string): void {
    this.#delete(id);
  }

  #set(view: InstanceView): void {
    const was = this.#views.get(view.id);
    if (was !== undefined && nameOf(was.resource) !== nameOf(view.resource)) this.#delete(view.id);
    this.#views.set(view.id, view);
    const name = nameOf(view.resource);
    const ids = this.#byResource.get(name) ?? new Set();
    this.#byResource.set(name, ids.add(view.id));
  }

  #delete(id: string): void {
    const view = this.#views.get(id);
    if (view === undefined) return;
    this.#views.delete(id);
    const name = nameOf(view.resource);
    const ids = this.#byResource.get(name);
    ids?.delete(id);
    if (ids?.size === 0) this.#byResource.delete(name);
  }
}

/** In all that a decision rests on. */
function alike(a: InstanceView | undefined, b: InstanceView | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.state === b.state &&
    a.applied?.etag === b.applied?.etag &&
    servicesRun(a.services) === servicesRun(b.services) &&
    nameOf(a.resource) === nameOf(b.resource) &&
    sameAttachments(a.attachments, b.attachments)
  );
}
