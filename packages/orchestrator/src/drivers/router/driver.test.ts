import { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { InstanceSpec } from '@astara/model/instance.ts';
import { validator } from '@astara/model/validate.ts';
import type { SyncedRouter } from '@astara/openstack/neutron-types.ts';
import { describe, expect, test } from 'vitest';
import { Mirror } from '../../neutron/mirror/mirror.ts';
import { activeNetworks, first, syncedRouters } from '../../testing/fixtures.ts';
import { floatingIp, network, port, router, routerPort, subnet } from '../../testing/objects.ts';
import type { ApplianceDefaults } from '../built.ts';
import { NetworkDriver } from '../network/driver.ts';
import { type DhcpMode, dhcpServer } from '../network/serving.ts';
import { RouterDriver } from './driver.ts';

const validConfig = validator(ApplianceConfig);
const validSpec = validator(InstanceSpec);
const defaults: ApplianceDefaults = {
  plug: 'bridge',
  metadataEndpoint: 'unix:/run/astara/metadata.sock',
  dnsForwarders: ['9.9.9.9'],
  dnsDomain: 'openstacklocal',
  leaseDuration: 86_400,
};

function drivers(mirror: Mirror, mode: DhcpMode = 'router') {
  const ready = { applied: () => undefined, removed: () => undefined };
  return {
    router: new RouterDriver({ mirror, mode, defaults, ready, floatingIps: ready }),
    network: new NetworkDriver({ mirror, mode, defaults, ready, host: 'lab1' }),
  };
}

function mirrorOf(routers: readonly SyncedRouter[], networks = activeNetworks()): Mirror {
  const mirror = new Mirror();
  mirror.ingestNetworks(networks, mirror.stamp());
  mirror.ingestRouters(
    routers.map(({ id }) => id),
    routers,
    mirror.stamp(),
  );
  mirror.l3.filled = true;
  mirror.dhcp.filled = true;
  return mirror;
}

function built(mirror: Mirror, id: string, mode: DhcpMode = 'router') {
  const desired = drivers(mirror, mode).router.desired(id);
  if (typeof desired === 'string') throw new Error(desired);
  expect(validConfig(desired.config)).toMatchObject({ ok: true });
  expect(validSpec(desired.spec)).toMatchObject({ ok: true });
  return desired;
}

test('the recorded router: gateway, three interfaces on two networks, floating IPs, DHCP for both', () => {
  const { id } = first(syncedRouters());
  const { config, spec, instanceId } = built(mirrorOf(syncedRouters()), id);
  expect(instanceId).toBe(id);
  expect(
    spec.attachments.map(({ ifname, mac_address, mtu, plug }) => `${ifname} ${mac_address} ${mtu} ${plug}`),
  ).toEqual([
    'qg-6f0de54a-13 fa:16:3e:44:80:77 1500 bridge',
    'qr-3dec148a-f6 fa:16:3e:d5:cf:c1 1450 bridge',
    'qr-cf75b5c7-fb fa:16:3e:a2:1b:48 1450 bridge',
    'qr-d1fb568c-6e fa:16:3e:29:d0:9a 1450 bridge',
  ]);
  const { networks, ...rest } = config;
  expect(rest).toEqual({
    hostname: 'ak-router-ec63cc22-4a54-4b45-bac3-0dc9fc48dfe5',
    tenant_id: 'f2a2dfdfc0d343c9831c3b8fb0269427',
    default_v4_gateway: '203.0.113.1',
    default_v6_gateway: null,
    snat: true,
    floating_ips: [
      { id: '6a390e3a-9a0d-4234-9132-0c90f5842d12', floating_ip: '203.0.113.29', fixed_ip: '10.1.0.11' },
      { id: '85943995-cec5-4d99-9c17-93bda6e86d73', floating_ip: '203.0.113.16', fixed_ip: '10.1.0.178' },
    ],
    static_routes: [{ destination: '172.31.0.0/16', nexthop: '10.1.0.77' }],
    metadata: { endpoint: 'unix:/run/astara/metadata.sock' },
    dns_forwarders: ['9.9.9.9'],
    dhcp_lease_duration: 86_400,
  });
  expect(
    networks.map((net) => `${net.network_type} ${net.interface.ifname} ${net.interface.addresses.join()}`),
  ).toEqual([
    'external qg-6f0de54a-13 203.0.113.171/24',
    'internal qr-3dec148a-f6 fd01:1::/64',
    'internal qr-cf75b5c7-fb 10.1.0.1/24',
    'internal qr-d1fb568c-6e 10.3.0.1/24',
  ]);
  expect(networks[2]).toEqual({
    network_id: '04e34659-861c-4900-8a1d-6edb7a260c63',
    name: '04e34659-861c-4900-8a1d-6edb7a260c63',
    network_type: 'internal',
    interface: {
      ifname: 'qr-cf75b5c7-fb',
      addresses: ['10.1.0.1/24'],
      mtu: 1450,
      mac_address: 'fa:16:3e:a2:1b:48',
    },
    v4_conf_service: 'static',
    v6_conf_service: 'static',
    subnets: [
      {
        id: '618a765b-4e0d-4b7b-baad-b59627079574',
        cidr: '10.1.0.0/24',
        gateway_ip: '10.1.0.1',
        dhcp_enabled: true,
        dns_nameservers: ['9.9.9.9'],
        host_routes: [],
        ipv6_ra_mode: null,
      },
    ],
    allocations: [
      {
        port_id: '0366f09b-b791-49a7-a40d-cd12146e28a6',
        mac_address: 'fa:16:3e:28:ca:7c',
        ip_addresses: { '10.1.0.178': true },
        hostname: 'host-10-1-0-178',
        device_id: 'labvm-a',
        tenant_id: 'f2a2dfdfc0d343c9831c3b8fb0269427',
      },
      {
        port_id: '588abb9a-9fdc-4a39-87b3-153c536b86d6',
        mac_address: 'fa:16:3e:b9:d9:79',
        ip_addresses: { '10.1.0.55': true },
        hostname: 'host-10-1-0-55',
        device_id: 'labvm-b',
        tenant_id: 'f2a2dfdfc0d343c9831c3b8fb0269427',
      },
      {
        port_id: '970aa46e-1bd1-485f-9643-065f3e98d170',
        mac_address: 'fa:16:3e:6f:d8:e9',
        ip_addresses: { '10.1.0.137': true },
        hostname: 'host-10-1-0-137',
        device_id: '',
        tenant_id: 'f2a2dfdfc0d343c9831c3b8fb0269427',
      },
    ],
    on_link_routes: [],
    dns_domain: 'openstacklocal',
  });
  // SLAAC: the address is the advertisement's to give.
  expect(networks[1]?.subnets[0]).toMatchObject({ ipv6_ra_mode: 'slaac', dhcp_enabled: true });
  expect(networks[1]?.allocations[0]?.ip_addresses).toEqual({ 'fd01:1::f816:3eff:fe28:ca7c': false });
});

const subnets = [subnet('c1', 'b1', '10.0.0.0/24')];
const external = [subnet('ce', 'be', '203.0.113.0/24', { enable_dhcp: false })];
const inside = (extra = {}) => routerPort('d1', 'b1', subnets, { c1: '10.0.0.1' }, extra);
const gateway = (extra = {}) => routerPort('de', 'be', external, { ce: '203.0.113.9' }, extra);

describe('what a router does', () => {
  test('without a gateway there is no NAT, no floating IP and no default route', () => {
    const mirror = mirrorOf([router('a1', { _interfaces: [inside()], _floatingips: [floatingIp('f1', 'a1')] })]);
    expect(built(mirror, 'a1').config).toMatchObject({ snat: false, floating_ips: [], default_v4_gateway: null });
  });

  test('enable_snat false, and other subnets of the external network on link', () => {
    const extra = { ...first(gateway().subnets), id: 'cx', cidr: '198.51.100.0/24' };
    const mirror = mirrorOf([router('a1', { gw_port: gateway({ extra_subnets: [extra] }), enable_snat: false })]);
    const { config } = built(mirror, 'a1');
    expect(config.snat).toBe(false);
    expect(config.networks[0]?.on_link_routes).toEqual(['198.51.100.0/24']);
  });

  test('a shared address scope on both sides is routed without NAT', () => {
    const scopes = (four: string | null) => ({ address_scopes: { '4': four, '6': null } });
    const nat = (a: string | null, b: string | null) => {
      const of = router('a1', { gw_port: gateway(scopes(a)), _interfaces: [inside(scopes(b))] });
      return built(mirrorOf([of]), 'a1').config.networks[1]?.subnets[0]?.nat;
    };
    expect([nat('s1', 's1'), nat('s1', 's2'), nat('s1', null), nat(null, null)]).toEqual([
      false,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('IPv6 is reached from outside unless its scope is another one', () => {
    const six = [subnet('b6', 'ba', 'fd00::/64')];
    const nat = (a: string | null, b: string | null) => {
      const port = { ...routerPort('d6', 'ba', six, { b6: 'fd00::1' }), address_scopes: { '4': null, '6': b } };
      const gw = { ...gateway(), address_scopes: { '4': null, '6': a } };
      return built(mirrorOf([router('a1', { gw_port: gw, _interfaces: [port] })]), 'a1').config.networks[1]?.subnets[0]
        ?.nat;
    };
    expect([nat(null, null), nat('s1', 's1'), nat('s1', null), nat(null, 's1')]).toEqual([
      false,
      false,
      undefined,
      undefined,
    ]);
  });

  test('IPv6 outside without a gateway of Neutron’s: by advertisement', () => {
    const v6 = [subnet('c6', 'be', '2001:db8::/64', { gateway_ip: null })];
    const mirror = mirrorOf([router('a1', { gw_port: routerPort('de', 'be', v6, { c6: '2001:db8::9' }) })]);
    const { config } = built(mirror, 'a1');
    expect([config.networks[0]?.v6_conf_service, config.default_v6_gateway]).toEqual(['ra', null]);
  });

  test('an interface that is set down is not there; a router that is set down has no instance', () => {
    const down = router('a1', { _interfaces: [inside({ admin_state_up: false })] });
    const { config, spec } = built(mirrorOf([down]), 'a1');
    expect([config.networks, spec.attachments]).toEqual([[], []]);
    const { router: driver } = drivers(mirrorOf([router('a1', { admin_state_up: false })]));
    expect([driver.desired('a1'), driver.resources()]).toEqual(['absent', []]);
  });

  test('text of a tenant that has no meaning to an appliance is left out, not refused', () => {
    const vm = port('ab1', 'b1', {
      fixed_ips: [{ subnet_id: 'c1', ip_address: '10.0.0.5' }],
      device_id: 'köln\n"',
      extra_dhcp_opts: [
        { opt_name: 'Bootfile-Name', opt_value: 'pxe.0', ip_version: 4 },
        { opt_name: 'option:ntp-server', opt_value: '10.0.0.7', ip_version: 4 },
        { opt_name: 'x\ny', opt_value: '1', ip_version: 4 },
        { opt_name: 'mtu', opt_value: 'a\nb', ip_version: 4 },
      ],
    });
    const mirror = mirrorOf([router('a1', { _interfaces: [inside()] })], [network('b1', subnets, [vm])]);
    expect(built(mirror, 'a1').config.networks[0]?.allocations).toMatchObject([
      {
        device_id: '',
        dhcp_options: [
          { name: 'bootfile-name', value: 'pxe.0', ip_version: 4 },
          { name: 'ntp-server', value: '10.0.0.7', ip_version: 4 },
        ],
      },
    ]);
  });

  test('equal mirrors make equal configurations, whatever order Neutron answers in', () => {
    const [original, shuffled] = [syncedRouters(), syncedRouters()].map((answer, i) => {
      const one = first(answer);
      const turn = <T>(list: readonly T[] | undefined): T[] =>
        i === 0 ? [...(list ?? [])] : [...(list ?? [])].reverse();
      return { ...one, _interfaces: turn(one._interfaces), _floatingips: turn(one._floatingips) };
    });
    if (original === undefined || shuffled === undefined) throw new Error('missing');
    const networks = activeNetworks().map((net) => ({ ...net, ports: [...net.ports].reverse() }));
    expect(built(mirrorOf([shuffled], networks), original.id).config).toEqual(
      built(mirrorOf([original]), original.id).config,
    );
  });
});

describe('who serves DHCP', () => {
  const two = [...subnets, subnet('c2', 'b1', '10.0.1.0/24')];
  const at = (id: string, addresses: Record<string, string>, extra = {}) =>
    router(id, { _interfaces: [routerPort(`d${id}`, 'b1', two, addresses, extra)] });

  test.each<[string, SyncedRouter[], string]>([
    ['no router', [], 'network'],
    ['a router in every subnet', [at('a1', { c1: '10.0.0.1', c2: '10.0.1.1' })], 'a1'],
    ['a router in one of two subnets', [at('a1', { c1: '10.0.0.1' })], 'network'],
    [
      'two ports of one router',
      [
        router('a1', {
          _interfaces: [
            routerPort('d1', 'b1', two, { c1: '10.0.0.1' }),
            routerPort('d2', 'b1', two, { c2: '10.0.1.1' }),
          ],
        }),
      ],
      'a1',
    ],
    [
      'the one with the gateway addresses',
      [at('a1', { c1: '10.0.0.8', c2: '10.0.1.8' }), at('a2', { c1: '10.0.0.1', c2: '10.0.1.1' })],
      'a2',
    ],
    [
      'a tie: the lowest id',
      [at('a2', { c1: '10.0.0.8', c2: '10.0.1.8' }), at('a1', { c1: '10.0.0.9', c2: '10.0.1.9' })],
      'a1',
    ],
    [
      'an interface that is set down',
      [at('a1', { c1: '10.0.0.1', c2: '10.0.1.1' }, { admin_state_up: false })],
      'network',
    ],
  ])('%s', (_name, routers, expected) => {
    const mirror = mirrorOf(routers, [network('b1', two)]);
    const server = dhcpServer(mirror, 'b1', 'router');
    expect(server?.kind === 'router' ? server.id : server?.kind).toBe(expected);
    for (const { id } of routers) {
      const dhcp = built(mirror, id).config.networks.some((net) => net.subnets.some((one) => one.dhcp_enabled));
      expect(dhcp).toBe(id === expected);
    }
    expect(drivers(mirror).network.resources()).toEqual(expected === 'network' ? [{ kind: 'network', id: 'b1' }] : []);
  });

  test('mode port: always an instance of the network', () => {
    const mirror = mirrorOf([at('a1', { c1: '10.0.0.1', c2: '10.0.1.1' })], [network('b1', two)]);
    expect(dhcpServer(mirror, 'b1', 'port')).toEqual({ kind: 'network' });
  });

  test('not ours, not wanted, set down: nobody', () => {
    const mirror = mirrorOf(
      [],
      [
        network('b1', [subnet('c3', 'b1', '10.0.0.0/24', { enable_dhcp: false })]),
        network('b2', [subnet('c4', 'b2', '10.4.0.0/24')]),
      ],
    );
    expect(dhcpServer(mirror, 'b1', 'router')).toBeUndefined();
    expect(dhcpServer(mirror, 'b3', 'router')).toBeUndefined();
    expect(dhcpServer(mirror, 'b2', 'router')).toEqual({ kind: 'network' });
    mirror.dhcp.up = false;
    expect(dhcpServer(mirror, 'b2', 'router')).toBeUndefined();
  });

  test('allocations without DHCP still say whose metadata request it is', () => {
    const vm = port('ab1', 'b1', { fixed_ips: [{ subnet_id: 'c1', ip_address: '10.0.0.5' }] });
    const mirror = mirrorOf([at('a1', { c1: '10.0.0.1' })], [network('b1', two, [vm])]);
    expect(built(mirror, 'a1').config.networks[0]?.allocations).toMatchObject([
      { ip_addresses: { '10.0.0.5': false } },
    ]);
  });

  test('a router that is not the gateway of the subnet is the way to the metadata service', () => {
    const mirror = mirrorOf(
      [at('a1', { c1: '10.0.0.8', c2: '10.0.1.1' })],
      [
        network('b1', two, [
          port('ab2', 'b1', {
            device_owner: 'network:router_interface',
            fixed_ips: [{ subnet_id: 'c2', ip_address: '10.0.1.1' }],
          }),
        ]),
      ],
    );
    const served = built(mirror, 'a1').config.networks[0]?.subnets;
    expect(served?.map((one) => one.host_routes)).toEqual([
      [{ destination: '169.254.169.254/32', nexthop: '10.0.0.8' }],
      [],
    ]);
  });
});

describe('what is not known yet', () => {
  test('before the first lists nothing is decided', () => {
    const mirror = new Mirror();
    const { router: routers, network: networks } = drivers(mirror);
    expect([routers.desired('a1'), networks.desired('b1')]).toEqual(['unknown', 'unknown']);
    expect([routers.resources(), networks.resources()]).toEqual([undefined, undefined]);
    mirror.ingestRouters(['a1'], [router('a1')], mirror.stamp());
    mirror.l3.filled = true;
    // Without the networks, a router that serves DHCP would be told to stop.
    expect([routers.desired('a1'), routers.desired('a2'), networks.desired('b1')]).toEqual([
      'unknown',
      'absent',
      'unknown',
    ]);
  });

  test('a network waits for its DHCP port, and loses its instance when a router takes it over', () => {
    const mirror = mirrorOf([], [network('b1', subnets)]);
    const { network: driver } = drivers(mirror);
    expect(driver.desired('b1')).toBe('unknown');
    expect(driver.resources()).toEqual([{ kind: 'network', id: 'b1' }]);
    mirror.ingestRouters(['a1'], [router('a1', { _interfaces: [inside()] })], mirror.stamp());
    expect([driver.desired('b1'), driver.resources()]).toEqual(['absent', []]);
    mirror.scheduleNetwork('b7');
    expect(driver.desired('b7')).toBe('unknown');
    expect(driver.desired('b8')).toBe('absent');
  });

  test('an agent that is set down serves nothing', () => {
    const mirror = mirrorOf([router('a1', { _interfaces: [inside()] })], [network('b1', subnets)]);
    mirror.l3.up = false;
    const { router: routers, network: networks } = drivers(mirror);
    expect([routers.desired('a1'), routers.resources()]).toEqual(['absent', []]);
    expect(networks.desired('b1')).toBe('unknown');
    mirror.dhcp.up = false;
    expect([networks.desired('b1'), networks.resources()]).toEqual(['absent', []]);
  });
});
