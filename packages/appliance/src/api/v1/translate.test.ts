import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Config2016 } from '@astara/model/appliance/api/v1.ts';
import { validator } from '@astara/model/validate.ts';
import { describe, expect, it } from 'vitest';
import { translate } from './translate.ts';

const directory = join(import.meta.dirname, '../../../test-fixtures/v1');
const valid2016 = validator(Config2016);
const surroundings = {
  names: new Map([
    ['ge0', 'eth0'],
    ['ge1', 'eth1'],
    ['ge2', 'eth2'],
  ]),
  generation: 7,
};

function fixture(name: string): Config2016 {
  const body: unknown = JSON.parse(readFileSync(join(directory, `${name}.json`), 'utf8'));
  const validated = valid2016(body);
  if (!validated.ok) throw new Error(JSON.stringify(validated.errors));
  return validated.value;
}

function today(body: Config2016) {
  const translated = translate(body, surroundings);
  if (!translated.ok) throw new Error(JSON.stringify(translated.errors));
  return translated.value;
}

describe('a body of 2016', () => {
  const routers = readdirSync(directory).filter((name) => name.startsWith('router'));

  it.each(routers)('%s is a configuration of today', (name) => {
    expect(routers.length).toBeGreaterThan(4);
    const translated = translate(fixture(name.replace('.json', '')), surroundings);
    expect(translated.ok ? [] : translated.errors).toEqual([]);
  });

  it('says of the networks what the appliance of 2016 did with them', () => {
    const config = today(fixture('router'));
    expect(config.generation).toBe(7);
    expect(config.networks.map((network) => network.interface.ifname)).toEqual(['eth0', 'eth1', 'eth2']);
    const [management, external, internal] = config.networks;
    expect(management?.subnets[0]?.gateway_ip).toBeNull();
    expect(external?.subnets.map(({ ipv6_ra_mode }) => ipv6_ra_mode)).toEqual([undefined, undefined]);
    expect(internal?.subnets.map(({ ipv6_ra_mode }) => ipv6_ra_mode)).toEqual([undefined, 'slaac', 'dhcpv6-stateful']);
    expect(internal?.dns_domain).toBe('local');
    expect(internal?.allocations.map(({ hostname }) => hostname)).toEqual([
      '192-168-8-2',
      '192-168-8-1',
      '2001-db8-100',
    ]);
    expect(config).toMatchObject({
      default_v4_gateway: '203.0.113.1',
      default_v6_gateway: '2001:db8:feed:1::1',
      metadata: { endpoint: 'http://[fdca:3ba5:a17a:acda::1]:9697' },
      labels: { external: ['203.0.113.0/24', '2001:db8:feed::/48'], everything: ['0.0.0.0/0'] },
    });
    expect(config).not.toHaveProperty('ha');
    expect(config).not.toHaveProperty('vpn');
  });

  it('speaks BGP with the IPv6 gateway outside, of the global prefixes of tenants', () => {
    expect(today(fixture('router')).bgp).toEqual({
      asn: 64512,
      neighbors: [
        {
          address: '2001:db8:feed:1::1',
          asn: 64512,
          export: { floating_ips: false, tenant_subnets: false, prefixes: ['2001:db8:100::/64'] },
          import: { prefixes: ['::/0'], max_prefixes: 1_000_000 },
        },
      ],
    });
    expect(today({ ...fixture('router'), asn: null })).not.toHaveProperty('bgp');
    expect(today(fixture('router-without-gateway'))).not.toHaveProperty('bgp');
    expect(today({ ...fixture('router'), neighbor_asn: 65001 }).bgp?.neighbors[0]?.asn).toBe(65001);
  });

  it('may have no gateway, and takes the first outside when none is named', () => {
    expect(today(fixture('router-without-gateway'))).toMatchObject({
      default_v4_gateway: null,
      default_v6_gateway: null,
    });
    expect(today({ ...fixture('router'), default_v4_gateway: '' }).default_v4_gateway).toBe('203.0.113.1');
  });

  it('asks for a member of a pair on the management network, the same one each time', () => {
    const { ha } = today(fixture('router-ha'));
    expect(ha).toMatchObject({ interface: 'eth0', priority: 100, peers: ['fdca:3ba5:a17a:acda:f816:3eff:fe10:2'] });
    const other = {
      ...fixture('router-ha'),
      ha_config: { peers: ['fdca:3ba5:a17a:acda:f816:3eff:fe10:3'], priority: 50 },
    };
    expect(today(other).ha?.vrid).toBe(ha?.vrid);
    const { networks = [], ...rest } = fixture('router-ha');
    const refused = translate({ ...rest, networks: networks.slice(1) }, surroundings);
    expect(refused).toMatchObject({ ok: false, errors: [{ field: '/ha_resource' }] });
  });

  it('has tunnels as VPNaaS had them', () => {
    const [branch, six] = today(fixture('router-vpn')).vpn?.connections ?? [];
    expect(branch).toMatchObject({
      local_address: '203.0.113.10',
      admin_state_up: true,
      psk: 'not so secret',
      local_cidrs: ['192.168.8.0/24'],
      peer_cidrs: ['10.99.0.0/24', '10.99.1.0/24'],
      ike_policy: { ike_version: 'v1', lifetime: 3600 },
    });
    expect(six).toMatchObject({ local_address: '2001:db8:feed:1::10', admin_state_up: false });
    expect(six?.ipsec_policy).not.toHaveProperty('lifetime');
  });

  it('has rules, with the real names of interfaces; what was empty is absent', () => {
    const config = today(fixture('router-with-rules'));
    expect(config.static_routes).toEqual([
      { destination: '172.16.77.0/24', nexthop: '192.168.8.254' },
      { destination: '2001:db8:77::/64', nexthop: '2001:db8:100::254' },
    ]);
    expect(config.anchors?.[0]?.rules).toEqual([
      {
        action: 'block',
        direction: 'in',
        interface: 'eth1',
        family: 'inet',
        protocol: 'tcp',
        source: 'office',
        destination: '192.168.8.2/32',
        destination_port: '23',
      },
      { action: 'pass', interface: 'eth1', family: 'inet', protocol: 'icmp' },
      {
        action: 'pass',
        direction: 'out',
        interface: 'eth1',
        family: 'inet',
        protocol: 'udp',
        source: '192.168.8.0/24',
        destination_port: '53',
      },
    ]);
  });

  it('names what is wrong by the fields that were sent', () => {
    const two = { ...surroundings, names: new Map([['ge0', 'eth0']]) };
    const refused = translate(fixture('router'), two);
    expect(refused).toMatchObject({
      ok: false,
      errors: [
        { field: '/networks/1/interface/ifname', message: 'ge1 does not exist: there are ge0' },
        { field: '/networks/2/interface/ifname' },
      ],
    });

    const body = fixture('router-vpn');
    const service = body.vpn?.ipsec?.[0];
    const [first] = service?.ipsec_connections ?? [];
    if (service === undefined || first === undefined) throw new Error('no connection');
    const wrong = { ...first, dpd: { action: 'hold' as const, interval: 30, timeout: 10 } };
    const vpn = { ipsec: [{ ...service, ipsec_connections: [wrong] }] };
    expect(translate({ ...body, vpn }, surroundings)).toEqual({
      ok: false,
      errors: [{ field: '/vpn/ipsec/0/ipsec_connections/0/dpd/timeout', message: 'must be more than interval' }],
    });
  });
});
