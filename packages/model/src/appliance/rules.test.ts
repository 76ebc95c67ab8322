import { describe, expect, it } from 'vitest';
import type { ApplianceConfig } from './config.ts';
import type { Network, Subnet } from './network.ts';
import { validateConfig } from './rules.ts';

const subnet: Subnet = {
  id: 'a1',
  cidr: '10.0.0.0/24',
  gateway_ip: '10.0.0.1',
  dhcp_enabled: true,
  dns_nameservers: [],
  host_routes: [],
};
const network: Network = {
  network_id: 'b1',
  name: 'n',
  network_type: 'internal',
  interface: { ifname: 'qr-a', addresses: ['10.0.0.1/24'] },
  v4_conf_service: 'static',
  v6_conf_service: 'static',
  subnets: [subnet],
  allocations: [],
};
const config: ApplianceConfig = { hostname: 'r', tenant_id: 'c1', networks: [network], floating_ips: [] };
const second = (cidr: string): Network => ({
  ...network,
  interface: { ifname: 'qr-b', addresses: [] },
  subnets: [{ ...subnet, cidr, gateway_ip: null }],
});
const withNetwork = (change: Partial<Network>) => ({ ...config, networks: [{ ...network, ...change }] });
const withSubnet = (change: Partial<Subnet>) => withNetwork({ subnets: [{ ...subnet, ...change }] });

function fields(input: unknown): string[] {
  const result = validateConfig(input);
  return result.ok ? [] : result.errors.map(({ field }) => field);
}

describe('a configuration', () => {
  it('is accepted when it is right', () => {
    expect(fields(config)).toEqual([]);
    expect(
      fields({
        ...config,
        networks: [
          network,
          second('10.0.1.0/24'),
          { ...second('fd00::/64'), interface: { ifname: 'x', addresses: [] } },
        ],
      }),
    ).toEqual([]);
  });

  const wrong: [string, unknown, string][] = [
    [
      'an address with a prefix that is too long',
      withNetwork({ interface: { ifname: 'a', addresses: ['10.0.0.1/33'] } }),
      '/networks/0/interface/addresses/0',
    ],
    [
      'an address that only looks like one',
      withNetwork({ interface: { ifname: 'a', addresses: ['fe80:::1/64'] } }),
      '/networks/0/interface/addresses/0',
    ],
    ['a metadata endpoint without a host', { ...config, metadata: { endpoint: 'http://:80' } }, '/metadata/endpoint'],
    ['one with an address cut short', { ...config, metadata: { endpoint: 'http://[::1:80' } }, '/metadata/endpoint'],
    ['octal', withNetwork({ on_link_routes: ['10.0.0.010/24'] }), '/networks/0/on_link_routes/0'],
    [
      'two interfaces of one name',
      { ...config, networks: [network, { ...second('10.0.1.0/24'), interface: { ifname: 'qr-a', addresses: [] } }] },
      '/networks/1/interface/ifname',
    ],
    ['lo', withNetwork({ interface: { ifname: 'lo', addresses: [] } }), '/networks/0/interface/ifname'],
    ['overlapping networks', { ...config, networks: [network, second('10.0.0.128/25')] }, '/networks/1/subnets/0/cidr'],
    ['a gateway of the other version', withSubnet({ gateway_ip: 'fd00::1' }), '/networks/0/subnets/0/gateway_ip'],
    ['an RA mode of IPv4', withSubnet({ ipv6_ra_mode: 'slaac' }), '/networks/0/subnets/0/ipv6_ra_mode'],
    [
      'a host route of the other version',
      withSubnet({ host_routes: [{ destination: 'fd00::/64', nexthop: 'fd01::1' }] }),
      '/networks/0/subnets/0/host_routes/0/destination',
    ],
    [
      'a mixed route',
      { ...config, static_routes: [{ destination: '10.9.0.0/16', nexthop: 'fd00::1' }] },
      '/static_routes/0/nexthop',
    ],
    [
      'a name server that is none',
      withSubnet({ dns_nameservers: ['::g'.replace('g', ':::')] }),
      '/networks/0/subnets/0/dns_nameservers/0',
    ],
    [
      'an IPv6 floating IP',
      { ...config, floating_ips: [{ floating_ip: 'fd00::1', fixed_ip: '10.0.0.1' }] },
      '/floating_ips/0/floating_ip',
    ],
    [
      'an IPv6 fixed address',
      { ...config, floating_ips: [{ floating_ip: '10.0.0.1', fixed_ip: 'fd00::1' }] },
      '/floating_ips/0/fixed_ip',
    ],
    ['an IPv4 gateway as IPv6', { ...config, default_v6_gateway: '::ffff:::' }, '/default_v6_gateway'],
    ['a forwarder that is none', { ...config, dns_forwarders: ['1:2'] }, '/dns_forwarders/0'],
    [
      'an allocation of no address',
      withNetwork({
        allocations: [
          { mac_address: 'fa:16:3e:00:00:01', ip_addresses: { 'no/address': true }, hostname: 'h', device_id: '' },
        ],
      }),
      '/networks/0/allocations/0/ip_addresses/no~1address',
    ],
  ];
  it.each(wrong)('is refused with %s', (_what, input, field) => {
    expect(fields(input)).toEqual([field]);
  });

  it('is refused with its structure wrong, before any rule is asked', () => {
    expect(fields({ ...config, hostname: '-' })).toEqual(['/hostname']);
    expect(fields('text')).toEqual(['/']);
  });

  it('is checked in no time, whatever the name', () => {
    const start = performance.now();
    expect(fields(withNetwork({ dns_domain: `${'a'.repeat(200)}!` }))).toEqual(['/networks/0/dns_domain']);
    expect(performance.now() - start).toBeLessThan(200);
  });
});
