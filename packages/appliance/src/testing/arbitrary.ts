import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Allocation, Network } from '@astara/model/appliance/network.ts';
import { validateConfig } from '@astara/model/appliance/rules.ts';
import fc from 'fast-check';

/** Configurations as the API may let them in: addresses from small pools, so that they meet; texts as hostile as the schema allows. */

const text = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
  maxLength: 40,
});
const label = fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9-]{0,10}[A-Za-z0-9])?$/);
const domain = fc.array(label, { minLength: 1, maxLength: 3 }).chain((parts) => {
  return fc.constantFrom('', '.').map((dot) => parts.join('.') + dot);
});
const mac = fc.integer({ min: 0, max: 255 }).map((last) => `FA:16:3e:00:00:${last.toString(16).padStart(2, '0')}`);
const octet = fc.integer({ min: 2, max: 250 });
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

const option = fc.record({
  name: fc.oneof(
    fc.constantFrom('bootfile-name', 'tftp-server', 'router', 'mtu', '67', '121', 'no-such', 'encap', 'option'),
    fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,20}$/),
  ),
  value: fc.oneof(text, fc.constantFrom('1.2.3.4,5.6.7.8', 'fd00::1', '"', '\\', 'a"b#c', '# x', 'tag:x,option:y,z')),
  ip_version: fc.constantFrom<4 | 6>(4, 6),
});

function network(index: number): fc.Arbitrary<Network> {
  const v4 = (host: number) => `10.${index}.0.${host}`;
  const v6 = (host: number) => `fd0${index}::${host.toString(16)}`;
  const route = octet.map((host) => ({ destination: `192.0.${host}.0/24`, nexthop: v4(host) }));
  const allocation: fc.Arbitrary<Allocation> = fc
    .record({
      mac_address: mac,
      hosts: fc.array(fc.tuple(octet, fc.boolean(), fc.boolean()), { maxLength: 3 }),
      hostname: label,
      device_id: text,
      dhcp_options: fc.array(option, { maxLength: 3 }),
    })
    .map(({ hosts, ...rest }) => ({
      ...rest,
      ip_addresses: Object.fromEntries(hosts.map(([host, six, dhcp]) => [six ? v6(host) : v4(host), dhcp])),
    }));
  return fc
    .record({
      type: fc.constantFrom(...(['external', 'internal', 'internal', 'isolated'] as const)),
      name: text,
      mtu: optional(fc.integer({ min: 68, max: 65535 })),
      own: fc.boolean(),
      gateway: fc.boolean(),
      dhcp: fc.boolean(),
      nat: optional(fc.boolean()),
      servers: fc.array(octet, { maxLength: 2 }),
      mode: fc.constantFrom('slaac', 'dhcpv6-stateless', 'dhcpv6-stateful', null),
      routes: fc.array(route, { maxLength: 2 }),
      allocations: fc.array(allocation, { maxLength: 4 }),
      dns_domain: optional(domain),
      onLink: fc.boolean(),
    })
    .map(({ type, name, mtu, own, gateway, dhcp, nat, servers, mode, routes, allocations, dns_domain, onLink }) => ({
      network_id: `0-${index}`,
      name,
      network_type: type,
      interface: {
        ifname: `qr-${index}`,
        addresses: own ? [`${v4(1)}/24`, `${v6(1)}/64`] : [`${v4(1)}/24`],
        ...(mtu === undefined ? {} : { mtu }),
      },
      v4_conf_service: 'static',
      v6_conf_service: 'static',
      subnets: [
        {
          id: `4-${index}`,
          cidr: `${v4(0)}/24`,
          gateway_ip: gateway ? v4(1) : null,
          dhcp_enabled: dhcp,
          dns_nameservers: servers.map(v4),
          host_routes: routes,
          ...(nat === undefined ? {} : { nat }),
        },
        {
          id: `6-${index}`,
          cidr: `fd0${index}::/64`,
          gateway_ip: gateway ? v6(1) : null,
          dhcp_enabled: dhcp,
          dns_nameservers: servers.map(v6),
          host_routes: [],
          ipv6_ra_mode: mode,
          ...(nat === undefined ? {} : { nat }),
        },
      ],
      allocations,
      on_link_routes: onLink ? [`10.${index}.9.0/24`] : [],
      ...(dns_domain === undefined ? {} : { dns_domain }),
    }));
}

export const anyConfig: fc.Arbitrary<ApplianceConfig> = fc
  .record({
    hostname: label,
    tenant_id: fc.constant('f00d'),
    networks: fc.tuple(...[1, 2, 3, 4].map(network)).chain((all) => fc.subarray(all)),
    default_v4_gateway: fc.option(fc.constantFrom('10.1.0.254', '10.2.0.254', '203.0.113.1')),
    default_v6_gateway: fc.option(fc.constantFrom('fd01::fe', 'fe80::1')),
    snat: fc.boolean(),
    floating_ips: fc.uniqueArray(
      fc.record({
        floating_ip: octet.map((host) => `198.51.100.${host}`),
        fixed_ip: fc.tuple(fc.integer({ min: 1, max: 4 }), octet).map(([net, host]) => `10.${net}.0.${host}`),
      }),
      { selector: ({ floating_ip }) => floating_ip, maxLength: 6 },
    ),
    static_routes: fc.array(
      fc.record({
        destination: fc.constantFrom('172.16.0.0/16', '0.0.0.0/0', '10.1.0.0/24'),
        nexthop: octet.map((host) => `10.1.0.${host}`),
      }),
      { maxLength: 3 },
    ),
    metadata: fc.constantFrom({ endpoint: 'unix:/run/m.sock' }, { endpoint: 'http://[::1]:80' }),
    dns_forwarders: fc.array(
      octet.map((host) => `192.0.2.${host}`),
      { maxLength: 2 },
    ),
    dhcp_lease_duration: fc.constantFrom(120, 86_400, 4_294_967_295),
  })
  .filter((config) => validateConfig(config).ok);
