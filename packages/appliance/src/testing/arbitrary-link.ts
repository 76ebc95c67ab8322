import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Network } from '@astara/model/appliance/network.ts';
import { configErrors } from '@astara/model/appliance/rules.ts';
import fc from 'fast-check';
import { config, network } from './configs.ts';

/** Interfaces, addresses, routes and proxies from small pools, so that they meet, in configurations that are valid. */

/** The interfaces that {@link anyLinkConfig} may name. */
export const linkPorts = ['qg-0', 'qr-1', 'qr-2'] as const;

const host = fc.integer({ min: 1, max: 6 });
const bits = fc.constantFrom(24, 25, 32);
const bits6 = fc.constantFrom(64, 80, 128);

function addresses(index: number): fc.Arbitrary<string[]> {
  const v4 = fc.tuple(host, bits).map(([last, length]) => `10.${index}.0.${last}/${length}`);
  const v6 = fc.tuple(host, bits6).map(([last, length]) => `FD0${index}:0::${last}/${length}`);
  return fc.uniqueArray(fc.oneof(v4, v4, v6, v6, fc.constant('fe80::1/64')), {
    maxLength: 4,
    // One address with two lengths at once is nothing that an interface can have in IPv6.
    selector: (cidr) => cidr.slice(0, cidr.indexOf('/')),
  });
}

function port(ifname: string, index: number): fc.Arbitrary<Network> {
  return fc
    .record({
      own: addresses(index),
      mtu: fc.option(fc.constantFrom(576, 1279, 1280, 1400, 9000), { nil: undefined }),
      mac: fc.option(fc.constantFrom('FA:16:3E:00:00:01', 'fa:16:3e:00:00:02'), { nil: undefined }),
      onLink: fc.subarray([`10.${index}.9.0/24`, `fd0${index}:9::/64`, `10.${index}.0.0/24`]),
      proxied: fc.subarray([`10.${index}.0.64/30`, `fd0${index}::64/127`]),
      ra: fc.boolean(),
    })
    .map(({ own, mtu, mac, onLink, proxied, ra }) => {
      const made = network(index === 0 ? 'external' : 'internal', ifname, own, {
        v6_conf_service: ra ? 'ra' : 'static',
        on_link_routes: onLink,
        proxied_addresses: proxied,
      });
      const { mtu: _, ...rest } = made.interface;
      const more = { ...(mtu === undefined ? {} : { mtu }), ...(mac === undefined ? {} : { mac_address: mac }) };
      return { ...made, interface: { ...rest, ...more } };
    });
}

const nexthop = fc.tuple(fc.integer({ min: 0, max: 2 }), host);
const route = fc.oneof(
  fc.record({
    destination: fc.constantFrom('172.16.0.0/12', '172.16.5.1/12', '0.0.0.0/0', '192.0.2.1/32', '10.1.0.0/24'),
    nexthop: nexthop.map(([index, last]) => `10.${index}.0.${last}`),
    weight: fc.constantFrom(1, 2, 256),
  }),
  fc.record({
    destination: fc.constantFrom('2001:db8::/32', '::/0', 'fd01::/64', '2001:DB8:0:0::1/128'),
    nexthop: nexthop.map(([index, last]) => `fd0${index}:0:0::${last}`),
    weight: fc.constantFrom(1, 2, 256),
  }),
);

export const anyLinkConfig: fc.Arbitrary<ApplianceConfig> = fc
  .record({
    networks: fc.tuple(...linkPorts.map(port)).chain((all) => fc.subarray(all)),
    default_v4_gateway: fc.option(fc.constantFrom('10.0.0.5', '10.1.0.6', '203.0.113.1')),
    default_v6_gateway: fc.option(fc.constantFrom('fd00::5', 'FE80::5', '2001:db8:f::1')),
    floating: fc.uniqueArray(host, { maxLength: 4 }),
    static_routes: fc.array(route, { maxLength: 8 }),
  })
  .map(({ networks, floating, ...rest }) =>
    config(networks, {
      ...rest,
      floating_ips: floating.map((last) => ({ floating_ip: `203.0.113.${last}`, fixed_ip: `10.1.0.${last}` })),
    }),
  )
  .filter((made) => configErrors(made).length === 0);
