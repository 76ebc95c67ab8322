import type { FloatingIp } from '@astara/openstack/neutron-types.ts';
import { Guarded, type Stamp } from './guarded.ts';
import { Index } from './members.ts';
import { floatingIpText } from './relevant.ts';

/** The floating IPs of this host's routers. One that has left them is kept for a while, so that no late message brings it back. */
export class FloatingIps {
  readonly #fips = new Guarded<FloatingIp>();
  readonly #byRouter = new Index();

  get(id: string): FloatingIp | undefined {
    return this.#fips.get(id);
  }

  /** As Neutron told it last, and when. */
  observed(id: string): { readonly value: FloatingIp; readonly stamp: Stamp } | undefined {
    return this.#fips.observed(id);
  }

  /** In the order of their ids. */
  ofRouter(routerId: string): FloatingIp[] {
    const found = this.#byRouter.members(routerId).map((id) => this.#fips.get(id));
    return found.filter((fip) => fip !== undefined).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** All floating IPs of a router, from a `sync_routers` begun at `began`. Answers the routers that differ now. */
  ingest(routerId: string, fips: readonly FloatingIp[], began: Stamp): Set<string> {
    const changed = new Set<string>();
    const listed = new Set(fips.map((fip) => fip.id));
    for (const fip of fips) this.#put(fip, began, 'list', changed);
    for (const id of this.#byRouter.members(routerId)) {
      if (!listed.has(id) && this.#fips.missing(id, began) !== undefined) {
        this.#byRouter.remove(routerId, id);
        changed.add(routerId);
      }
    }
    return changed;
  }

  /** One floating IP as a notification tells it. `ours`: whether a router is on this host. */
  patch(fip: FloatingIp, stamp: Stamp, ours: (routerId: string) => boolean): Set<string> {
    const changed = new Set<string>();
    const concerns = this.#fips.get(fip.id) !== undefined || (fip.router_id !== null && ours(fip.router_id));
    if (concerns) this.#put(fip, stamp, 'patch', changed);
    return changed;
  }

  remove(id: string, stamp: Stamp): Set<string> {
    const held = this.#fips.delete(id, stamp);
    const router = held?.router_id ?? undefined;
    if (router === undefined) return new Set();
    this.#byRouter.remove(router, id);
    return new Set([router]);
  }

  /** All routers of this host have been listed since `began`. */
  forget(began: Stamp, ours: (routerId: string) => boolean): void {
    this.#fips.forget(began);
    for (const fip of this.#fips.values()) {
      if (this.#fips.seen(fip.id) >= began || (fip.router_id !== null && ours(fip.router_id))) continue;
      if (fip.router_id !== null) this.#byRouter.remove(fip.router_id, fip.id);
      this.#fips.drop(fip.id);
    }
  }

  #put(fip: FloatingIp, stamp: Stamp, source: 'list' | 'patch', changed: Set<string>): void {
    const before = this.#fips.get(fip.id);
    if (!this.#fips.put(fip, stamp, source)) return;
    const from = before?.router_id ?? undefined;
    const to = fip.router_id ?? undefined;
    if (from !== to) {
      if (from !== undefined) this.#byRouter.remove(from, fip.id);
      if (to !== undefined) this.#byRouter.add(to, fip.id);
    }
    if (before !== undefined && floatingIpText(before) === floatingIpText(fip)) return;
    if (from !== undefined) changed.add(from);
    if (to !== undefined) changed.add(to);
  }
}
