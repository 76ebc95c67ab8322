import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Network } from '@astara/model/appliance/network.ts';

/** The router that is measured: `qg` outside (198.51.100.2), `qr` inside (10.0.0.1/8), and so many floating IPs. */
export function router(generation: number, floatingIps: number, more: Partial<ApplianceConfig> = {}): ApplianceConfig {
  const plain = (network_type: Network['network_type'], ifname: string, address: string): Network => ({
    network_id: ifname === 'qg' ? 'a' : 'b',
    name: ifname,
    network_type,
    interface: { ifname, addresses: [address], mtu: 1500 },
    v4_conf_service: 'static',
    v6_conf_service: 'static',
    subnets: [],
    allocations: [],
  });
  return {
    generation,
    hostname: 'bench',
    tenant_id: 'be',
    networks: [plain('external', 'qg', '198.51.100.2/24'), plain('internal', 'qr', '10.0.0.1/8')],
    default_v4_gateway: '198.51.100.1',
    floating_ips: Array.from({ length: floatingIps }, (_, index) => ({
      floating_ip: floating(index),
      fixed_ip: fixed(index),
    })),
    ...more,
  };
}

/** 198.18.0.0/15 is for benchmarks (RFC 2544). */
export function floating(index: number): string {
  return `198.18.${index >> 8}.${index & 255}`;
}

export function fixed(index: number): string {
  return `10.1.${index >> 8}.${index & 255}`;
}
