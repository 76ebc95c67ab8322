import { expect, test } from 'vitest';
import { instanceOf } from './lib/astara.ts';
import { Scene } from './lib/scene.ts';
import { leased, routed } from './lib/topology.ts';

test('a machine gets its lease from the router, with everything the subnet and the port ask for', async () => {
  await using scene = new Scene('dhcp');
  const { networks, router } = await routed(scene, 'r', {
    cidrs: ['10.31.0.0/24'],
    subnet: {
      dns_nameservers: ['203.0.113.53', '203.0.113.54'],
      host_routes: [{ destination: '198.51.100.0/24', nexthop: '10.31.0.77' }],
    },
  });
  const [network] = networks;
  if (network === undefined) throw new Error('no network');
  const vm = await scene.vm('a', network, {
    port: { extra_dhcp_opts: [{ opt_name: 'ntp-server', opt_value: '10.31.0.9', ip_version: 4 }] },
  });
  const lease = await vm.dhcp();

  expect(lease.address).toBe(`${vm.address()}/24`);
  expect(lease.server).toBe('10.31.0.1');
  expect(lease.mtu).toBe(network.mtu);
  expect(lease.dns).toEqual(['203.0.113.53', '203.0.113.54']);
  expect(lease.raw.ntpsrv).toBe('10.31.0.9');
  expect(lease.seconds).toBe(86_400);
  expect(lease.staticRoutes).toContainEqual({ destination: '198.51.100.0/24', nexthop: '10.31.0.77' });
  expect(lease.staticRoutes).toContainEqual({ destination: '0.0.0.0/0', nexthop: '10.31.0.1' });
  await vm.active();

  // No DHCP port, no address taken, no further instance.
  const owners = (await scene.cloud.list('port', { network_id: network.id })).map(({ device_owner }) => device_owner);
  expect(owners).not.toContain('network:dhcp');
  expect(await instanceOf(network.id)).toBeUndefined();
  expect(await instanceOf(router.id)).toBeDefined();
});

test('an address that moves to another port is leased to it at once', async () => {
  await using scene = new Scene('dhcpmove');
  const { networks, subnets } = await routed(scene, 'r', { cidrs: ['10.32.0.0/24'] });
  const [network] = networks;
  const [subnet] = subnets;
  if (network === undefined || subnet === undefined) throw new Error('no network');
  const fixed = { fixed_ips: [{ subnet_id: subnet.id, ip_address: '10.32.0.50' }] };
  const first = await leased(scene, 'a', network, fixed);
  await first.destroy();
  const second = await scene.vm('b', network, { port: fixed });
  expect((await second.dhcp()).address).toBe('10.32.0.50/24');
});

test('names of the network resolve at the DHCP server when the subnet names no other', async () => {
  await using scene = new Scene('dns');
  const { networks } = await routed(scene, 'r', { cidrs: ['10.33.0.0/24'] });
  const [network] = networks;
  if (network === undefined) throw new Error('no network');
  const a = await leased(scene, 'a', network);
  const b = await leased(scene, 'b', network);
  const name = `host-${b.address()?.replaceAll('.', '-')}.openstacklocal`;
  expect(await a.exec(['getent', 'ahostsv4', name])).toContain(`${b.address()} `);
});

test('a network with two routers is served once', async () => {
  await using scene = new Scene('tworouters');
  const { networks, subnets } = await routed(scene, 'r1', { cidrs: ['10.34.0.0/24'] });
  const [network] = networks;
  const [subnet] = subnets;
  if (network === undefined || subnet === undefined) throw new Error('no network');
  const second = await scene.cloud.createRouter('r2');
  const port = await scene.cloud.createPort(network, 'r2', {
    fixed_ips: [{ subnet_id: subnet.id, ip_address: '10.34.0.2' }],
  });
  await scene.cloud.addInterface(second, { port_id: port.id });
  const vm = await leased(scene, 'a', network);
  // Both routers answer pings; only the one that is the subnet's gateway answers DHCP.
  await vm.reaches('10.34.0.1');
  await vm.reaches('10.34.0.2');
  for (let attempt = 0; attempt < 3; attempt++) expect((await vm.dhcp()).server).toBe('10.34.0.1');
});
