import type { Router, SyncedRouter } from '@astara/openstack/neutron-types.ts';
import type { Stamp } from './guarded.ts';
import { Index } from './members.ts';
import { routerText } from './relevant.ts';

interface Entry {
  readonly router: SyncedRouter;
  readonly text: string;
  /** When the `sync_routers` began that the interfaces and the gateway port are from. */
  readonly composedAt: Stamp;
  readonly seen: Stamp;
}

export type Ingested = 'changed' | 'same';

/** The routers of this host, as `sync_routers` gives them; their floating IPs are kept apart. */
export class Routers {
  readonly #entries = new Map<string, Entry>();
  readonly #removed = new Map<string, Stamp>();
  readonly #byNetwork = new Index();
  readonly #byGatewayNetwork = new Index();
  readonly #byPort = new Map<string, string>();
  /** When the newest full list began. */
  #listedAt: Stamp = 0;

  get(id: string): SyncedRouter | undefined {
    return this.#entries.get(id)?.router;
  }

  has(id: string): boolean {
    return this.#entries.has(id);
  }

  ids(): string[] {
    return [...this.#entries.keys()];
  }

  values(): SyncedRouter[] {
    return [...this.#entries.values()].map((entry) => entry.router);
  }

  /** Routers with an interface (not the gateway) on the network. */
  onNetwork(networkId: string): readonly string[] {
    return this.#byNetwork.members(networkId);
  }

  /** Networks on which a router of this host has an interface. */
  networks(): string[] {
    return this.#byNetwork.keys();
  }

  withGatewayOn(networkId: string): readonly string[] {
    return this.#byGatewayNetwork.members(networkId);
  }

  ofPort(portId: string): string | undefined {
    return this.#byPort.get(portId);
  }

  /**
   * A router of a `sync_routers` begun at `began`. `older`: an answer to a later question has come already.
   * `outdated`: a newer revision is known already, so ask again.
   */
  ingest(router: SyncedRouter, began: Stamp): Ingested | 'older' | 'outdated' {
    const { id } = router;
    const held = this.#entries.get(id);
    if (began <= (this.#removed.get(id) ?? 0)) return 'older';
    if (began < (held?.composedAt ?? this.#listedAt)) return 'older';
    this.#removed.delete(id);
    if (held !== undefined && router.revision_number < held.router.revision_number) return 'outdated';
    const { _floatingips: _, ...rest } = router;
    return this.#set(rest, began, Math.max(began, held?.seen ?? 0)) ? 'changed' : 'same';
  }

  /** What a notification tells: the router's own attributes, nothing of its ports. */
  patch(router: Router, stamp: Stamp): Ingested {
    const held = this.#entries.get(router.id);
    if (held === undefined || router.revision_number <= held.router.revision_number) return 'same';
    return this.#set({ ...held.router, ...router }, held.composedAt, stamp) ? 'changed' : 'same';
  }

  /** It is not on this host any more. Whether it was known. */
  remove(id: string, stamp: Stamp): boolean {
    this.#removed.set(id, stamp);
    return this.#drop(id);
  }

  /** A list begun at `began` did not have it. */
  missing(id: string, began: Stamp): boolean {
    const held = this.#entries.get(id);
    return held !== undefined && held.seen < began && this.remove(id, began);
  }

  /** All routers of this host have been listed since `began`: earlier removals are in there. */
  forget(began: Stamp): void {
    this.#listedAt = Math.max(began, this.#listedAt);
    for (const [id, stamp] of this.#removed) if (stamp < began) this.#removed.delete(id);
  }

  #set(router: SyncedRouter, composedAt: Stamp, seen: Stamp): boolean {
    const text = routerText(router);
    const before = this.#entries.get(router.id);
    if (before !== undefined) this.#unlink(before.router);
    this.#entries.set(router.id, { router, text, composedAt, seen });
    for (const port of router._interfaces ?? []) {
      this.#byNetwork.add(port.network_id, router.id);
      this.#byPort.set(port.id, router.id);
    }
    if (router.gw_port !== undefined) {
      this.#byGatewayNetwork.add(router.gw_port.network_id, router.id);
      this.#byPort.set(router.gw_port.id, router.id);
    }
    return before?.text !== text;
  }

  #drop(id: string): boolean {
    const held = this.#entries.get(id);
    if (held === undefined) return false;
    this.#unlink(held.router);
    return this.#entries.delete(id);
  }

  #unlink(router: SyncedRouter): void {
    for (const port of router._interfaces ?? []) {
      this.#byNetwork.remove(port.network_id, router.id);
      this.#byPort.delete(port.id);
    }
    if (router.gw_port !== undefined) {
      this.#byGatewayNetwork.remove(router.gw_port.network_id, router.id);
      this.#byPort.delete(router.gw_port.id);
    }
  }
}
