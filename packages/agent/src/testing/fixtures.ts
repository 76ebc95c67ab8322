import { randomBytes, randomUUID } from 'node:crypto';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Attachment, InstanceSpec, PlugKind } from '@astara/model/instance.ts';

/** Unique names, so that tests can run side by side on one host. */
export function uniqueId(): string {
  return `at-agent-${randomBytes(4).toString('hex')}`;
}

export function attachment(options: { ifname?: string; plug?: PlugKind; mtu?: number; mac?: string } = {}): Attachment {
  const [a, b, c] = randomBytes(3).toString('hex').match(/../g) ?? [];
  return {
    port_id: randomUUID(),
    network_id: randomUUID(),
    mac_address: options.mac ?? `fa:16:3e:${a}:${b}:${c}`,
    mtu: options.mtu ?? 1450,
    ifname: options.ifname ?? `qr-${randomBytes(4).toString('hex')}`,
    plug: options.plug ?? 'bridge',
  };
}

export function spec(attachments: Attachment[] = []): InstanceSpec {
  return { resource: { kind: 'router', id: randomUUID() }, attachments };
}

/** A router with one internal network that it serves by DHCP; it answers on `<net>.1`. `net`: such as `198.18.7`. */
export function routerConfig(port: Attachment, net: string): ApplianceConfig {
  return {
    generation: 1,
    hostname: 'at-agent',
    tenant_id: randomUUID(),
    floating_ips: [],
    networks: [
      {
        network_id: port.network_id,
        name: 'internal',
        network_type: 'internal',
        interface: { ifname: port.ifname, addresses: [`${net}.1/24`], mtu: port.mtu, mac_address: port.mac_address },
        v4_conf_service: 'static',
        v6_conf_service: 'static',
        subnets: [
          {
            id: randomUUID(),
            cidr: `${net}.0/24`,
            gateway_ip: `${net}.1`,
            dhcp_enabled: true,
            dns_nameservers: [],
            host_routes: [],
          },
        ],
        allocations: [],
      },
    ],
  };
}
