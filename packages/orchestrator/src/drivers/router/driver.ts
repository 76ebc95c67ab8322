import type { ResourceKey } from '@astara/model/instance.ts';
import type { DhcpReady, Served } from '../../neutron/dhcp-ready.ts';
import type { FloatingIpReporter } from '../../neutron/floating-ip-reporter.ts';
import type { Mirror } from '../../neutron/mirror/mirror.ts';
import { type ApplianceDefaults, type Built, isBuilt } from '../built.ts';
import type { Desired, Driver } from '../driver.ts';
import { type DhcpMode, dhcpServer } from '../network/serving.ts';
import { servedPorts } from '../network/subnets.ts';
import { interfacesOf, routerAttachments, routerConfig } from './config.ts';

export interface RouterDriverOptions {
  readonly mirror: Mirror;
  readonly mode: DhcpMode;
  readonly defaults: ApplianceDefaults;
  readonly floatingIps: Pick<FloatingIpReporter, 'applied' | 'removed'>;
  readonly ready: Pick<DhcpReady, 'applied' | 'removed'>;
}

/** Neutron routers: routing, NAT and floating IPs, metadata, and DHCP where the router serves its networks. */
export class RouterDriver implements Driver {
  readonly kind = 'router';
  readonly #options: RouterDriverOptions;

  constructor(options: RouterDriverOptions) {
    this.#options = options;
  }

  resources(): readonly ResourceKey[] | undefined {
    const { mirror } = this.#options;
    if (!mirror.l3.filled) return undefined;
    if (!mirror.l3.up) return [];
    return mirror.routers
      .values()
      .filter((router) => router.admin_state_up)
      .map(({ id }) => ({ kind: 'router', id }));
  }

  desired(id: string): Built | 'absent' | 'unknown' {
    const { mirror, mode, defaults } = this.#options;
    const router = mirror.routers.get(id);
    if (!mirror.l3.filled && router === undefined) return 'unknown';
    if (!mirror.l3.up || router === undefined || !router.admin_state_up) {
      // What changes about it while it has no instance waits for nothing.
      mirror.applied({ kind: 'router', id }, mirror.stamp());
      return 'absent';
    }
    // Without its networks the router would be told to serve nobody.
    if (!mirror.dhcp.filled) return 'unknown';

    const networks = new Set(interfacesOf(router).map((port) => port.network_id));
    const served = new Map<string, Served>();
    for (const networkId of networks) {
      const server = dhcpServer(mirror, networkId, mode);
      const network = mirror.networks.get(networkId);
      if (network !== undefined && server?.kind === 'router' && server.id === id)
        served.set(networkId, servedPorts(network));
    }
    const floatingIps = mirror.floatingIps.ofRouter(id);
    const config = routerConfig({
      router,
      floatingIps,
      network: (networkId) => mirror.networks.get(networkId),
      servesDhcp: (networkId) => served.has(networkId),
      defaults,
    });
    const since = mirror.since({ kind: 'router', id });
    return {
      instanceId: id,
      spec: {
        resource: { kind: 'router', id },
        tenant_id: router.tenant_id,
        attachments: routerAttachments(router, defaults),
      },
      config,
      ...(since === undefined ? {} : { since }),
      stamp: mirror.stamp(),
      served,
      floatingIps: config.floating_ips.map((fip) => fip.id).filter((fip) => fip !== undefined),
    };
  }

  onApplied(id: string, desired: Desired): void {
    if (!isBuilt(desired)) return;
    const { mirror, floatingIps, ready } = this.#options;
    mirror.applied({ kind: 'router', id }, desired.stamp);
    // Only what came by an event has a time since when somebody waits.
    floatingIps.applied(id, desired.floatingIps, desired.since !== undefined);
    ready.applied(id, desired.served);
  }

  onRemoved(id: string): void {
    const { mirror, floatingIps, ready } = this.#options;
    floatingIps.removed(id);
    ready.removed(id);
    mirror.applied({ kind: 'router', id }, mirror.stamp());
  }
}
