import type { ResourceKey } from '@astara/model/instance.ts';
import { ownDhcpPort } from '../../neutron/dhcp-ports.ts';
import type { DhcpReady } from '../../neutron/dhcp-ready.ts';
import type { Mirror } from '../../neutron/mirror/mirror.ts';
import { type ApplianceDefaults, type Built, isBuilt } from '../built.ts';
import type { Desired, Driver } from '../driver.ts';
import { networkAttachment, networkConfig } from './config.ts';
import { type DhcpMode, dhcpServer } from './serving.ts';
import { servedPorts } from './subnets.ts';

export interface NetworkDriverOptions {
  readonly mirror: Mirror;
  /** Name of this host in Neutron. */
  readonly host: string;
  readonly mode: DhcpMode;
  readonly defaults: ApplianceDefaults;
  readonly ready: Pick<DhcpReady, 'applied' | 'removed'>;
}

/** Networks that no router's instance serves DHCP on: each gets a small instance of its own, on a DHCP port. */
export class NetworkDriver implements Driver {
  readonly kind = 'network';
  readonly #options: NetworkDriverOptions;

  constructor(options: NetworkDriverOptions) {
    this.#options = options;
  }

  resources(): readonly ResourceKey[] | undefined {
    const { mirror } = this.#options;
    if (!mirror.filled) return undefined;
    return mirror.networks
      .scheduled()
      .filter((id) => !mirror.networks.known(id) || this.needsInstance(id))
      .map((id) => ({ kind: 'network', id }));
  }

  /** Whether the network is served by an instance of its own. */
  needsInstance(id: string): boolean {
    return dhcpServer(this.#options.mirror, id, this.#options.mode)?.kind === 'network';
  }

  desired(id: string): Built | 'absent' | 'unknown' {
    const { mirror, host, defaults } = this.#options;
    if (!mirror.filled) return 'unknown';
    const network = mirror.networks.get(id);
    if (network === undefined && mirror.dhcp.up && mirror.networks.isScheduled(id)) return 'unknown';
    if (network === undefined || !this.needsInstance(id)) {
      // What changes about it while it has no instance waits for nothing.
      mirror.applied({ kind: 'network', id }, mirror.stamp());
      return 'absent';
    }
    const port = ownDhcpPort(network, host);
    // It is being made; what runs meanwhile goes on.
    if (port === undefined) return 'unknown';
    const since = mirror.since({ kind: 'network', id });
    return {
      instanceId: id,
      spec: {
        resource: { kind: 'network', id },
        tenant_id: network.tenant_id,
        attachments: [networkAttachment(network, port, defaults.plug)],
      },
      config: networkConfig(network, port, defaults),
      ...(since === undefined ? {} : { since }),
      stamp: mirror.stamp(),
      served: new Map([[id, servedPorts(network)]]),
      floatingIps: [],
    };
  }

  onApplied(id: string, desired: Desired): void {
    if (!isBuilt(desired)) return;
    this.#options.mirror.applied({ kind: 'network', id }, desired.stamp);
    this.#options.ready.applied(id, desired.served);
  }

  onRemoved(id: string): void {
    this.#options.ready.removed(id);
    this.#options.mirror.applied({ kind: 'network', id }, this.#options.mirror.stamp());
  }
}
