import { describe, expect, it } from 'vitest';
import type { ApplianceConfig } from '../config.ts';
import type { Network } from '../network.ts';
import { validateConfig } from '../rules.ts';

const network: Network = {
  network_id: 'b1',
  name: 'n',
  network_type: 'internal',
  interface: { ifname: 'qr-a', addresses: ['10.0.0.1/24', 'fd00::1/64'], mac_address: 'fa:16:3e:00:00:01' },
  v4_conf_service: 'static',
  v6_conf_service: 'static',
  subnets: [],
  allocations: [],
};
const config: ApplianceConfig = { hostname: 'r', tenant_id: 'c1', networks: [network], floating_ips: [] };
const withNetwork = (more: Partial<Network>) => ({ ...config, networks: [{ ...network, ...more }] });
const withInterface = (more: Partial<Network['interface']>) =>
  withNetwork({ interface: { ...network.interface, ...more } });

function fields(input: unknown): string[] {
  const result = validateConfig(input);
  return result.ok ? [] : result.errors.map(({ field }) => field);
}

const hops = (count: number, destination: string) =>
  Array.from({ length: count }, (_, index) => ({ destination, nexthop: `10.0.0.${index + 2}` }));

describe('static routes', () => {
  it('may share a destination, with weights', () => {
    const static_routes = [
      ...hops(63, '172.16.0.1/12'),
      { destination: '172.16.0.0/12', nexthop: '10.0.0.99', weight: 256 },
    ];
    expect(fields({ ...config, static_routes })).toEqual([]);
  });

  it('have at most 64 next hops each, however the destination is spelled', () => {
    const static_routes = [...hops(64, '172.16.0.1/12'), { destination: '172.31.0.0/12', nexthop: '10.0.0.99' }];
    expect(fields({ ...config, static_routes })).toEqual(['/static_routes/64']);
  });

  it.each([0, 257, 1.5, -1])('have no weight of %s', (weight) => {
    const static_routes = [{ destination: '172.16.0.0/12', nexthop: '10.0.0.9', weight }];
    expect(fields({ ...config, static_routes })).toEqual(['/static_routes/0/weight']);
  });
});

describe('what no host can have', () => {
  it.each(['0.0.0.0', '127.0.0.1', '224.0.0.5', '255.255.255.255'])('%s is no address and no gateway', (address) => {
    expect(fields(withInterface({ addresses: [`${address}/24`] }))).toEqual(['/networks/0/interface/addresses/0']);
    expect(fields({ ...config, default_v4_gateway: address })).toEqual(['/default_v4_gateway']);
  });

  it.each(['::', '::1', 'ff02::1'])('%s is no address and no gateway', (address) => {
    expect(fields(withInterface({ addresses: [`${address}/64`] }))).toEqual(['/networks/0/interface/addresses/0']);
    expect(fields({ ...config, default_v6_gateway: address })).toEqual(['/default_v6_gateway']);
  });

  it.each(['01:00:5e:00:00:01', '00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff'])('%s is no MAC', (mac_address) => {
    expect(fields(withInterface({ mac_address }))).toEqual(['/networks/0/interface/mac_address']);
  });

  it('an address twice, whatever its length and spelling', () => {
    expect(fields(withInterface({ addresses: ['fd00::1/64', 'FD00:0::1/80'] }))).toEqual([
      '/networks/0/interface/addresses/1',
    ]);
  });
});

describe('proxied addresses', () => {
  it('are few', () => {
    expect(fields(withNetwork({ proxied_addresses: ['198.51.100.0/23', '2001:db8::/119'] }))).toEqual([]);
    expect(fields(withNetwork({ proxied_addresses: ['198.51.100.0/23', '2001:db8::/64'] }))).toEqual([
      '/networks/0/proxied_addresses/1',
    ]);
    expect(fields(withNetwork({ proxied_addresses: ['198.51.100.0/33'] }))).toEqual([
      '/networks/0/proxied_addresses/0',
    ]);
  });
});
