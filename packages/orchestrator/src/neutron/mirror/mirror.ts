import type { ResourceKey } from '@astara/model/instance.ts';
import type {
  DhcpNetwork,
  FloatingIp,
  Network,
  Port,
  Router,
  Subnet,
  SyncedRouter,
} from '@astara/openstack/neutron-types.ts';
import { FloatingIps } from './floating-ips.ts';
import type { Stamp } from './guarded.ts';
import { Networks } from './networks.ts';
import { Routers } from './routers.ts';
import { Unapplied } from './unapplied.ts';

/** What an agent role of this host may be asked to serve. */
export interface RoleState {
  /** Its first full list has come back. Until then nothing may be decided. */
  filled: boolean;
  /** False: an operator set the agent down, or this host does not play the role. */
  up: boolean;
}

/**
 * The in-memory copy of Neutron's objects that concern this host. Every mutation answers which resources may look different
 * now, and nothing when nothing that matters changed; `at` is when Neutron committed the change, in milliseconds since the epoch.
 * Nothing here waits, and nothing goes back to an older revision.
 */
export class Mirror {
  readonly routers = new Routers();
  readonly floatingIps = new FloatingIps();
  readonly networks = new Networks();
  readonly l3: RoleState = { filled: false, up: true };
  readonly dhcp: RoleState = { filled: false, up: true };
  readonly #unapplied = new Unapplied();
  #clock: Stamp = 0;

  /** A new reading of the mirror's clock: take one before a question is sent to Neutron. */
  stamp(): Stamp {
    this.#clock += 1;
    return this.#clock;
  }

  get filled(): boolean {
    return this.l3.filled && this.dhcp.filled;
  }

  /** When the earliest change that is not applied yet was committed. */
  since(key: ResourceKey): number | undefined {
    return this.#unapplied.since(keyText(key));
  }

  /** What was read of the mirror at `stamp` is in force. */
  applied(key: ResourceKey, stamp: Stamp): void {
    this.#unapplied.applied(keyText(key), stamp);
  }

  /** All resources that are known, whether they need an instance or not. */
  keys(): ResourceKey[] {
    return [...this.routers.ids().map(router), ...this.networks.scheduled().map(network)];
  }

  // Routers

  /**
   * The answer to a `sync_routers` for `asked`, begun at `began`. What it does not name is not on this host any more.
   * `outdated` must be asked again. `since`: per router, when the change was committed that made us ask.
   */
  ingestRouters(
    asked: readonly string[],
    answer: readonly SyncedRouter[],
    began: Stamp,
    since: (id: string) => number | undefined = () => undefined,
  ): { readonly keys: ResourceKey[]; readonly outdated: string[] } {
    const keys = new Keys();
    const outdated: string[] = [];
    for (const synced of answer) {
      const before = this.#networksOf(synced.id);
      const result = this.routers.ingest(synced, began);
      if (result === 'outdated') outdated.push(synced.id);
      if (result === 'older' || !this.routers.has(synced.id)) continue;
      const concerned = new Keys();
      if (result === 'changed') concerned.add(router(synced.id), ...this.#around(before, synced.id));
      const fips = this.floatingIps.ingest(synced.id, synced._floatingips ?? [], began);
      for (const id of fips) if (this.routers.has(id)) concerned.add(router(id));
      this.#record(concerned, since(synced.id));
      keys.add(...concerned);
    }
    const answered = new Set(answer.map((synced) => synced.id));
    for (const id of asked) {
      if (answered.has(id)) continue;
      const before = this.#networksOf(id);
      if (this.routers.missing(id, began)) keys.add(...this.#gone(id, before, since(id)));
    }
    return { keys: [...keys], outdated };
  }

  /** The ids of all routers of this host, from a list begun at `began`. */
  ingestRouterIds(ids: readonly string[], began: Stamp): ResourceKey[] {
    const keys = new Keys();
    const listed = new Set(ids);
    for (const id of this.routers.ids()) {
      if (listed.has(id)) continue;
      const before = this.#networksOf(id);
      if (this.routers.missing(id, began)) keys.add(...this.#gone(id, before, undefined));
    }
    this.routers.forget(began);
    this.floatingIps.forget(began, (id) => this.routers.has(id));
    return [...keys];
  }

  patchRouter(changed: Router, at?: number): ResourceKey[] {
    const before = this.#networksOf(changed.id);
    if (this.routers.patch(changed, this.stamp()) !== 'changed') return [];
    return this.#record(new Keys().add(router(changed.id), ...this.#around(before, changed.id)), at);
  }

  /** Deleted, or taken from this host. */
  removeRouter(id: string, at?: number): ResourceKey[] {
    const before = this.#networksOf(id);
    return this.routers.remove(id, this.stamp()) ? this.#gone(id, before, at) : [];
  }

  patchFloatingIp(fip: FloatingIp, at?: number): ResourceKey[] {
    return this.#ofRouters(
      this.floatingIps.patch(fip, this.stamp(), (id) => this.routers.has(id)),
      at,
    );
  }

  removeFloatingIp(id: string, at?: number): ResourceKey[] {
    return this.#ofRouters(this.floatingIps.remove(id, this.stamp()), at);
  }

  // Networks

  /** The answer to a question for one network; null when Neutron has none of that id. */
  ingestNetwork(id: string, answer: DhcpNetwork | null, began: Stamp, at?: number): ResourceKey[] {
    if (answer === null) return this.unscheduleNetwork(id, at);
    if (!this.#wanted(id)) return [];
    return this.networks.ingest(answer, began) ? this.#ofNetwork(id, at) : [];
  }

  /** All networks of this host's DHCP agent, from a list begun at `began`. */
  ingestNetworks(answer: readonly DhcpNetwork[], began: Stamp): ResourceKey[] {
    const keys = new Keys();
    const { came, went } = this.networks.ingestSchedule(
      answer.map(({ id }) => id),
      began,
    );
    for (const listed of answer) {
      if (this.networks.isScheduled(listed.id) && this.networks.ingest(listed, began))
        keys.add(...this.#ofNetwork(listed.id));
    }
    for (const id of [...came, ...went]) keys.add(...this.#ofNetwork(id), network(id));
    for (const id of went) this.#dropUnwanted(id);
    return [...keys];
  }

  /** Neutron gave the network to this host; the caller asks for its content. */
  scheduleNetwork(id: string, at?: number): ResourceKey[] {
    return this.networks.schedule(id, this.stamp()) ? this.#ofNetwork(id, at) : [];
  }

  unscheduleNetwork(id: string, at?: number): ResourceKey[] {
    if (!this.networks.unschedule(id, this.stamp())) return [];
    const keys = this.#record(new Keys().add(...this.#ofNetwork(id), network(id)), at);
    this.#dropUnwanted(id);
    return keys;
  }

  patchNetwork(changed: Network, at?: number): ResourceKey[] {
    return this.networks.patch(changed, this.stamp()) ? this.#ofNetwork(changed.id, at) : [];
  }

  patchSubnet(subnet: Subnet, at?: number): ResourceKey[] {
    return this.networks.patchSubnet(subnet, this.stamp()) ? this.#ofNetwork(subnet.network_id, at) : [];
  }

  removeSubnet(id: string, at?: number): ResourceKey[] {
    const networkId = this.networks.removeSubnet(id, this.stamp());
    return networkId === undefined ? [] : this.#ofNetwork(networkId, at);
  }

  patchPort(port: Port, at?: number): ResourceKey[] {
    return this.networks.patchPort(port, this.stamp()) ? this.#ofNetwork(port.network_id, at) : [];
  }

  removePort(id: string, at?: number): ResourceKey[] {
    const networkId = this.networks.removePort(id, this.stamp());
    return networkId === undefined ? [] : this.#ofNetwork(networkId, at);
  }

  /** A port that Neutron answered to a call of ours begun at `began`. */
  ingestPort(port: Port, began: Stamp): ResourceKey[] {
    return this.networks.ingestPort(port, began) ? this.#ofNetwork(port.network_id) : [];
  }

  /** Networks that a router here has an interface on and of which nothing is known: their ports are wanted for metadata. */
  unknownNetworks(): string[] {
    return this.routers.networks().filter((id) => !this.networks.known(id));
  }

  #wanted(networkId: string): boolean {
    return this.networks.isScheduled(networkId) || this.routers.onNetwork(networkId).length > 0;
  }

  #dropUnwanted(networkId: string): void {
    if (!this.#wanted(networkId)) this.networks.drop(networkId);
  }

  /** The network's own key, and the routers here that have an interface on it. */
  #ofNetwork(id: string, at?: number): ResourceKey[] {
    const keys = new Keys().add(...this.routers.onNetwork(id).map(router));
    if (this.networks.isScheduled(id)) keys.add(network(id));
    return this.#record(keys, at);
  }

  #ofRouters(ids: Iterable<string>, at?: number): ResourceKey[] {
    return this.#record(new Keys().add(...[...ids].filter((id) => this.routers.has(id)).map(router)), at);
  }

  #networksOf(routerId: string): Set<string> {
    return new Set((this.routers.get(routerId)?._interfaces ?? []).map((port) => port.network_id));
  }

  /** Who else must look again when a router changed: its networks, as it may serve them now or no more, and their other routers. */
  #around(before: ReadonlySet<string>, routerId: string): ResourceKey[] {
    const keys = new Keys();
    for (const id of new Set([...before, ...this.#networksOf(routerId)])) keys.add(...this.#ofNetwork(id));
    return [...keys];
  }

  #gone(id: string, before: ReadonlySet<string>, at: number | undefined): ResourceKey[] {
    const keys = this.#record(new Keys().add(router(id), ...this.#around(before, id)), at);
    for (const networkId of before) this.#dropUnwanted(networkId);
    return keys;
  }

  #record(keys: Keys, at: number | undefined): ResourceKey[] {
    const found = [...keys];
    const stamp = this.stamp();
    for (const key of found) this.#unapplied.record(keyText(key), stamp, at);
    return found;
  }
}

/** A set of keys, by value. */
class Keys {
  readonly #keys = new Map<string, ResourceKey>();

  add(...keys: readonly ResourceKey[]): this {
    for (const key of keys) this.#keys.set(keyText(key), key);
    return this;
  }

  [Symbol.iterator](): Iterator<ResourceKey> {
    return this.#keys.values();
  }
}

function keyText(key: ResourceKey): string {
  return `${key.kind} ${key.id}`;
}

function router(id: string): ResourceKey {
  return { kind: 'router', id };
}

function network(id: string): ResourceKey {
  return { kind: 'network', id };
}
