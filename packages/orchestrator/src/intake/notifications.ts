import type { Messaging, Notification, Subscription } from '@astara/messaging/contract.ts';
import type { ResourceKey } from '@astara/model/instance.ts';
import type { FloatingIp, Network, Port, Router, Subnet } from '@astara/openstack/neutron-types.ts';
import type { L3Agent } from '../neutron/l3-agent.ts';
import type { Mirror } from '../neutron/mirror/mirror.ts';
import { neutronObject, objectOf, textOf } from '../neutron/payload.ts';
import { Priority } from '../queue/priority.ts';

export interface IntakeOptions {
  readonly mirror: Mirror;
  /** Where routers are marked stale of which a notification does not tell everything. */
  readonly l3: Pick<L3Agent, 'refresh' | 'remove'>;
  readonly changed: (keys: readonly ResourceKey[], priority: Priority) => void;
}

/**
 * Turns Neutron's notifications into patches of the mirror and keys. What a notification says wholly is in the mirror before
 * Neutron has answered the tenant's request; of what it says in part, the router is asked for. Everything can be lost, doubled
 * and reordered: the casts to the agents and the lists say the same later.
 */
export class NotificationIntake {
  readonly #options: IntakeOptions;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** `topics`: as in Neutron's `[oslo_messaging_notifications] topics`. */
  listen(messaging: Messaging, exchange: string, topics: readonly string[], host: string): Promise<Subscription> {
    return messaging.listen({
      exchange,
      topics: topics.map((topic) => `${topic}.info`),
      queue: `astara_notifications.${host}`,
      handler: (notification) => this.handle(notification),
    });
  }

  handle(notification: Notification): void {
    const { eventType, payload, timestamp } = notification;
    const { mirror, l3, changed } = this.#options;
    const user = (keys: readonly ResourceKey[]) => changed(keys, Priority.user);
    switch (eventType) {
      case 'floatingip.create.end':
      case 'floatingip.update.end': {
        const fip = neutronObject<FloatingIp>(payload, 'floatingip');
        if (fip !== undefined) user(mirror.patchFloatingIp(fip, timestamp));
        break;
      }
      case 'floatingip.delete.end': {
        const id = textOf(payload.floatingip_id);
        if (id !== undefined) user(mirror.removeFloatingIp(id, timestamp));
        break;
      }
      case 'router.update.end':
        this.#router(neutronObject<Router>(payload, 'router'), timestamp);
        break;
      case 'router.delete.end': {
        const id = textOf(payload.router_id);
        if (id !== undefined) l3.remove(id, timestamp);
        break;
      }
      case 'router.interface.create':
      case 'router.interface.delete': {
        const id = textOf(objectOf(payload.router_interface)?.id);
        if (id !== undefined && mirror.routers.has(id)) l3.refresh([id], timestamp);
        break;
      }
      case 'network.update.end':
        this.#network(neutronObject<Network>(payload, 'network'), timestamp);
        break;
      case 'subnet.create.end':
      case 'subnet.update.end': {
        const subnet = neutronObject<Subnet>(payload, 'subnet');
        if (subnet === undefined) break;
        user(mirror.patchSubnet(subnet, timestamp));
        this.#around(subnet.network_id, timestamp);
        break;
      }
      case 'subnet.delete.end': {
        const subnet = neutronObject<Subnet>(payload, 'subnet');
        if (subnet === undefined) break;
        user(mirror.removeSubnet(subnet.id, timestamp));
        this.#around(subnet.network_id, timestamp);
        break;
      }
      case 'port.create.end':
      case 'port.update.end': {
        const port = neutronObject<Port>(payload, 'port');
        if (port === undefined) break;
        user(mirror.patchPort(port, timestamp));
        const router = mirror.routers.ofPort(port.id);
        if (router !== undefined) l3.refresh([router], timestamp);
        break;
      }
      case 'port.delete.end': {
        const id = textOf(payload.port_id);
        if (id !== undefined) user(mirror.removePort(id, timestamp));
        break;
      }
      default:
      // Everything else Neutron notifies changes no appliance.
    }
  }

  #router(router: Router | undefined, at: number): void {
    const { mirror, l3, changed } = this.#options;
    const held = router === undefined ? undefined : mirror.routers.get(router.id);
    if (router === undefined || held === undefined) return;
    // Its ports are not in here: a gateway that came, went or changed must be asked for.
    const gateway = gatewayText(router) !== gatewayText(held);
    changed(mirror.patchRouter(router, at), Priority.user);
    if (gateway) l3.refresh([router.id], at);
  }

  #network(network: Network | undefined, at: number): void {
    if (network === undefined) return;
    const { mirror, l3, changed } = this.#options;
    changed(mirror.patchNetwork(network, at), Priority.user);
    const ids = [...mirror.routers.onNetwork(network.id), ...mirror.routers.withGatewayOn(network.id)];
    const stale = ids.filter((id) => {
      const router = mirror.routers.get(id);
      const ports = [...(router?._interfaces ?? []), ...(router?.gw_port === undefined ? [] : [router.gw_port])];
      return ports.some((port) => port.network_id === network.id && port.mtu !== network.mtu);
    });
    if (stale.length > 0) l3.refresh(stale, at);
  }

  /** A subnet hangs on the ports of the routers that are on its network. An external network may have all of the cloud's. */
  #around(networkId: string, at: number): void {
    const { mirror, l3 } = this.#options;
    l3.refresh(mirror.routers.onNetwork(networkId), at);
    l3.refresh(mirror.routers.withGatewayOn(networkId), at, { urgent: false });
  }
}

function gatewayText(router: Router): string {
  const gateway = router.external_gateway_info;
  if (gateway === null) return '';
  const addresses = gateway.external_fixed_ips.map((ip) => `${ip.subnet_id} ${ip.ip_address}`).sort();
  return JSON.stringify([gateway.network_id, gateway.enable_snat, addresses]);
}
