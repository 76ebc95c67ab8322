import type { DhcpNetwork, Network, Port, Subnet } from '@astara/openstack/neutron-types.ts';
import { Guarded, type Stamp } from './guarded.ts';
import { Index } from './members.ts';
import { portText, subnetText } from './relevant.ts';

interface Core {
  readonly id: string;
  readonly tenant_id: string;
  readonly admin_state_up: boolean;
  readonly mtu: number;
  readonly dns_domain?: string;
}

interface Entry {
  readonly core: Core;
  readonly coreStamp: Stamp;
  /** Of the newest notification of the network itself; lists carry none. */
  readonly revision: number;
  /** When the list began that says which subnets and ports there are. */
  readonly composedAt: Stamp;
}

/** A network as far as it is known here. */
export interface NetworkView extends Core {
  /** Whether Neutron's scheduler gave it to the DHCP agent of this host. */
  readonly scheduled: boolean;
  /** In the order of their ids; also those without DHCP, as far as Neutron tells. */
  readonly subnets: readonly Subnet[];
  readonly ports: readonly Port[];
}

/**
 * The networks that this host's DHCP agent serves, and those its routers have interfaces on: with their subnets and ports.
 */
export class Networks {
  readonly #entries = new Map<string, Entry>();
  readonly #scheduled = new Map<string, Stamp>();
  readonly #unscheduled = new Map<string, Stamp>();
  readonly #subnets = new Guarded<Subnet>();
  readonly #ports = new Guarded<Port>();
  readonly #subnetsOf = new Index();
  readonly #portsOf = new Index();
  readonly #views = new Map<string, NetworkView>();
  /** When the newest full list began. */
  #listedAt: Stamp = 0;

  get(id: string): NetworkView | undefined {
    const cached = this.#views.get(id);
    if (cached !== undefined) return cached;
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    const view = {
      ...entry.core,
      scheduled: this.#scheduled.has(id),
      subnets: members(this.#subnetsOf, this.#subnets, id),
      ports: members(this.#portsOf, this.#ports, id),
    };
    this.#views.set(id, view);
    return view;
  }

  known(id: string): boolean {
    return this.#entries.has(id);
  }

  isScheduled(id: string): boolean {
    return this.#scheduled.has(id);
  }

  scheduled(): string[] {
    return [...this.#scheduled.keys()];
  }

  ids(): string[] {
    return [...this.#entries.keys()];
  }

  port(id: string): Port | undefined {
    return this.#ports.get(id);
  }

  subnet(id: string): Subnet | undefined {
    return this.#subnets.get(id);
  }

  /** Neutron gave the network to this host; its content is asked for. Whether that is new. */
  schedule(id: string, stamp: Stamp): boolean {
    this.#unscheduled.delete(id);
    const fresh = !this.#scheduled.has(id);
    this.#scheduled.set(id, stamp);
    this.#views.delete(id);
    return fresh;
  }

  /** It was deleted, or taken from this host. Whether it was here. */
  unschedule(id: string, stamp: Stamp): boolean {
    this.#unscheduled.set(id, stamp);
    this.#views.delete(id);
    return this.#scheduled.delete(id);
  }

  /** What is known of it is not needed any more. */
  drop(id: string): void {
    this.#entries.delete(id);
    this.#views.delete(id);
    for (const subnet of this.#subnetsOf.members(id)) this.#dropSubnet(id, subnet);
    for (const port of this.#portsOf.members(id)) this.#dropPort(id, port);
  }

  /** A network from a list begun at `began`. Whether anything that matters differs. */
  ingest(network: DhcpNetwork, began: Stamp): boolean {
    const { id } = network;
    const held = this.#entries.get(id);
    // It has been listed since, or came back to this host since: then it is being asked for.
    if (began < (held?.composedAt ?? this.#scheduled.get(id) ?? 0)) return false;
    this.#views.delete(id);
    let changed = held === undefined;
    if (held === undefined || began >= held.coreStamp) {
      const core = { ...held?.core, ...coreOf(network) };
      changed ||= JSON.stringify(core) !== JSON.stringify(held?.core);
      this.#entries.set(id, { core, coreStamp: began, revision: held?.revision ?? -1, composedAt: began });
    } else {
      this.#entries.set(id, { ...held, composedAt: began });
    }
    for (const subnet of network.subnets) changed = this.#putSubnet(subnet, began, 'list') || changed;
    for (const port of network.ports) changed = this.#putPort(port, began, 'list') || changed;
    const listed = new Set([...network.subnets, ...network.ports].map((member) => member.id));
    for (const subnet of this.#subnetsOf.members(id)) {
      if (listed.has(subnet) || this.#subnets.missing(subnet, began) === undefined) continue;
      this.#subnetsOf.remove(id, subnet);
      changed = true;
    }
    for (const port of this.#portsOf.members(id)) {
      if (listed.has(port) || this.#ports.missing(port, began) === undefined) continue;
      this.#portsOf.remove(id, port);
      changed = true;
    }
    return changed;
  }

  /** The ids of all networks of this host, from a list begun at `began`. Answers those that came and went. */
  ingestSchedule(ids: readonly string[], began: Stamp): { readonly came: string[]; readonly went: string[] } {
    if (began < this.#listedAt) return { came: [], went: [] };
    this.#listedAt = began;
    const listed = new Set(ids);
    const came: string[] = [];
    for (const id of listed) {
      if ((this.#unscheduled.get(id) ?? 0) >= began) continue;
      if (!this.#scheduled.has(id)) came.push(id);
      this.#scheduled.set(id, Math.max(began, this.#scheduled.get(id) ?? 0));
      this.#unscheduled.delete(id);
      this.#views.delete(id);
    }
    const went = [...this.#scheduled].filter(([id, stamp]) => !listed.has(id) && stamp < began).map(([id]) => id);
    for (const id of went) {
      this.#scheduled.delete(id);
      this.#views.delete(id);
    }
    for (const [id, stamp] of this.#unscheduled) if (stamp < began) this.#unscheduled.delete(id);
    this.#subnets.forget(began);
    this.#ports.forget(began);
    return { came, went };
  }

  patch(network: Network, stamp: Stamp): boolean {
    const held = this.#entries.get(network.id);
    if (held === undefined || network.revision_number <= held.revision) return false;
    const core = { ...held.core, ...coreOf(network) };
    const changed = JSON.stringify(core) !== JSON.stringify(held.core);
    this.#entries.set(network.id, { ...held, core, coreStamp: stamp, revision: network.revision_number });
    this.#views.delete(network.id);
    return changed;
  }

  patchSubnet(subnet: Subnet, stamp: Stamp): boolean {
    return this.#expected(subnet.network_id) && this.#putSubnet(subnet, stamp, 'patch');
  }

  patchPort(port: Port, stamp: Stamp): boolean {
    return this.#expected(port.network_id) && this.#putPort(port, stamp, 'patch');
  }

  /** A port that a call of ours made or changed. */
  ingestPort(port: Port, began: Stamp): boolean {
    return this.#expected(port.network_id) && this.#putPort(port, began, 'list');
  }

  /** Answers the network it was on. */
  removeSubnet(id: string, stamp: Stamp): string | undefined {
    const held = this.#subnets.delete(id, stamp);
    if (held !== undefined) this.#dropSubnet(held.network_id, id);
    return held?.network_id;
  }

  /** Answers the network it was on. */
  removePort(id: string, stamp: Stamp): string | undefined {
    const held = this.#ports.delete(id, stamp);
    if (held !== undefined) this.#dropPort(held.network_id, id);
    return held?.network_id;
  }

  #expected(networkId: string): boolean {
    return this.#entries.has(networkId) || this.#scheduled.has(networkId);
  }

  #putSubnet(subnet: Subnet, stamp: Stamp, source: 'list' | 'patch'): boolean {
    const before = this.#subnets.get(subnet.id);
    if (!this.#subnets.put(subnet, stamp, source)) return false;
    this.#subnetsOf.add(subnet.network_id, subnet.id);
    this.#views.delete(subnet.network_id);
    return before === undefined || subnetText(before) !== subnetText(subnet);
  }

  #putPort(port: Port, stamp: Stamp, source: 'list' | 'patch'): boolean {
    const before = this.#ports.get(port.id);
    if (!this.#ports.put(port, stamp, source)) return false;
    this.#portsOf.add(port.network_id, port.id);
    this.#views.delete(port.network_id);
    return before === undefined || portText(before) !== portText(port);
  }

  #dropSubnet(networkId: string, id: string): void {
    this.#subnets.drop(id);
    this.#subnetsOf.remove(networkId, id);
    this.#views.delete(networkId);
  }

  #dropPort(networkId: string, id: string): void {
    this.#ports.drop(id);
    this.#portsOf.remove(networkId, id);
    this.#views.delete(networkId);
  }
}

function coreOf(network: DhcpNetwork | Network): Core {
  const { id, tenant_id, admin_state_up, mtu } = network;
  const domain = 'dns_domain' in network && network.dns_domain !== undefined ? { dns_domain: network.dns_domain } : {};
  return { id, tenant_id, admin_state_up, mtu, ...domain };
}

function members<T extends { readonly id: string; readonly revision_number: number }>(
  index: Index,
  objects: Guarded<T>,
  key: string,
): T[] {
  const found = index.members(key).map((id) => objects.get(id));
  return found.filter((object) => object !== undefined).sort((a, b) => (a.id < b.id ? -1 : 1));
}
