import type { Network, Port } from '@astara/openstack/neutron-types.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configured, instanceOf, remains, traces } from './lib/astara.ts';
import { EXTERNAL_ADDRESS } from './lib/external.ts';
import * as lab from './lib/lab.ts';
import { Machine } from './lib/machine.ts';
import { expectMetadata } from './lib/metadata.ts';
import { Scene } from './lib/scene.ts';
import { leased, routed } from './lib/topology.ts';
import { waitFor } from './lib/wait.ts';

/** `[dhcp] mode = port`, Neutron's usual way: each network has a DHCP port, and an instance that answers on it. */

beforeAll(() => lab.restartWithDhcp('port'));
afterAll(() => lab.restart('astara-orchestrator'));

const dhcpPorts = ({ cloud }: Scene, { id }: Network): Promise<Port[]> =>
  cloud.list('port', { network_id: id, device_owner: 'network:dhcp' });

/** The network's one DHCP port, once it is ACTIVE. */
function dhcpPort(scene: Scene, network: Network): Promise<Port> {
  return waitFor(`an ACTIVE DHCP port on ${network.name}`, async () => {
    const [port, ...others] = await dhcpPorts(scene, network);
    return others.length === 0 && port?.status === 'ACTIVE' ? port : undefined;
  });
}

/** Whether the instance of a resource listens for DHCP requests. */
async function answersDhcp(resourceId: string): Promise<boolean> {
  const { id } = await configured(resourceId);
  return (await new Machine(`astara-${id}`).exec(['ss', '-Hlun', 'sport = :67'])) !== '';
}

const addressesOf = ({ fixed_ips }: Port) => fixed_ips.map(({ ip_address }) => ip_address);

test('a routed network is served on a DHCP port of its own: leases, names, metadata; its router serves none', async () => {
  await using scene = new Scene('dhcpport');
  const { networks, subnets, router } = await routed(scene, 'r', { cidrs: ['10.35.0.0/24'] });
  const [network] = networks;
  const [subnet] = subnets;
  if (network === undefined || subnet === undefined) throw new Error('no network');
  const vm = await scene.vm('a', network);
  const lease = await vm.dhcp();
  const port = await dhcpPort(scene, network);
  const [server = ''] = addressesOf(port);

  expect(port['binding:host_id']).toBe(lab.LAB_HOST);
  expect(port.fixed_ips.map(({ subnet_id }) => subnet_id)).toEqual([subnet.id]);
  expect(server).not.toBe('10.35.0.1');
  expect(lease.server).toBe(server);
  expect(lease.address).toBe(`${vm.address()}/24`);
  expect(lease.dns).toEqual([server]);
  expect(lease.mtu).toBe(network.mtu);
  expect(lease.domain).toBe('openstacklocal');
  expect(lease.seconds).toBe(86_400);
  expect(lease.staticRoutes).toContainEqual({ destination: '0.0.0.0/0', nexthop: '10.35.0.1' });
  await vm.active();
  await vm.reaches(EXTERNAL_ADDRESS);
  await expectMetadata(vm);
  const other = await leased(scene, 'b', network);
  const name = `host-${other.address()?.replaceAll('.', '-')}.openstacklocal`;
  expect(await vm.exec(['getent', 'ahostsv4', name])).toContain(`${other.address()} `);

  expect(await answersDhcp(network.id)).toBe(true);
  expect(await answersDhcp(router.id)).toBe(false);
});

test('a network with two routers is served once, on its DHCP port', async () => {
  await using scene = new Scene('dhcpporttwo');
  const { cloud } = scene;
  const { networks, subnets, router } = await routed(scene, 'r1', { cidrs: ['10.36.0.0/24'], gateway: false });
  const [network] = networks;
  const [subnet] = subnets;
  if (network === undefined || subnet === undefined) throw new Error('no network');
  const second = await cloud.createRouter('r2');
  const interfacePort = await cloud.createPort(network, 'r2', {
    fixed_ips: [{ subnet_id: subnet.id, ip_address: '10.36.0.2' }],
  });
  await cloud.addInterface(second, { port_id: interfacePort.id });
  const vm = await leased(scene, 'a', network);
  const [server] = addressesOf(await dhcpPort(scene, network));
  await vm.reaches('10.36.0.1');
  await vm.reaches('10.36.0.2');
  for (let attempt = 0; attempt < 3; attempt++) expect((await vm.dhcp()).server).toBe(server);
  const servers = [network.id, router.id, second.id];
  expect(await Promise.all(servers.map(answersDhcp))).toEqual([true, false, false]);
});

test('the DHCP port has an address in each subnet with DHCP, and goes with the last of them or with the network', async () => {
  await using scene = new Scene('dhcpportend');
  const { cloud } = scene;
  const { networks, subnets, router } = await routed(scene, 'r', {
    cidrs: ['10.37.0.0/24', '10.38.0.0/24'],
    gateway: false,
  });
  const [network, doomed] = networks;
  const [first, ofDoomed] = subnets;
  if (network === undefined || doomed === undefined || first === undefined || ofDoomed === undefined)
    throw new Error('no networks');
  const port = await dhcpPort(scene, network);
  const own = await traces(await configured(network.id));
  await dhcpPort(scene, doomed);
  const ofDoomedOwn = await traces(await configured(doomed.id));
  const subnetsOfPort = async () => (await dhcpPorts(scene, network)).flatMap(({ fixed_ips }) => fixed_ips);
  const spans = (count: number) =>
    waitFor(`the DHCP port to have ${count} addresses`, async () => (await subnetsOfPort()).length === count);

  const second = await cloud.createSubnet(network, '10.39.0.0/24');
  await spans(2);
  const vm = await leased(scene, 'a', network, { fixed_ips: [{ subnet_id: second.id }] });
  const server = (await subnetsOfPort()).find(({ subnet_id }) => subnet_id === second.id)?.ip_address;
  expect((await vm.dhcp()).server).toBe(server);
  await vm.destroy();
  await cloud.delete('subnet', second);
  await spans(1);
  expect((await dhcpPort(scene, network)).id).toBe(port.id);
  const still = await traces(await configured(network.id));
  expect(still.pids[0]).toBe(own.pids[0]); // the instance's first process: it was not made again

  const gone = (what: Network, left: typeof own) =>
    Promise.all([
      waitFor('its DHCP port to be released', async () => (await dhcpPorts(scene, what)).length === 0),
      waitFor('its instance to be gone', async () => (await instanceOf(what.id)) === undefined),
      waitFor('nothing of it to be left', async () => (await remains(left)).length === 0),
    ]);
  await cloud.update('subnet', first, { enable_dhcp: false });
  await gone(network, still);
  await cloud.update('subnet', first, { enable_dhcp: true });
  await dhcpPort(scene, network);
  const again = await traces(await configured(network.id));
  await cloud.removeInterface(router, { subnet_id: first.id });
  await cloud.delete('subnet', first);
  await gone(network, again);
  await cloud.removeInterface(router, { subnet_id: ofDoomed.id });
  await cloud.delete('network', doomed);
  await gone(doomed, ofDoomedOwn);
});

test('back in mode router: the router answers and the DHCP port is released, but not where there is no router', async () => {
  await using scene = new Scene('dhcpportback');
  const { cloud } = scene;
  const { networks, router } = await routed(scene, 'r', { cidrs: ['10.40.0.0/24'], gateway: false });
  const [network] = networks;
  if (network === undefined) throw new Error('no network');
  const isolated = await cloud.createNetwork('isolated');
  await cloud.createSubnet(isolated, '10.41.0.0/24');
  const vm = await leased(scene, 'a', network);
  const port = await dhcpPort(scene, network);
  const kept = await dhcpPort(scene, isolated);
  const own = await traces(await configured(network.id));
  expect((await vm.dhcp()).server).toBe(addressesOf(port)[0]);

  await lab.restart('astara-orchestrator');
  await waitFor('the DHCP port to be released', async () => (await dhcpPorts(scene, network)).length === 0);
  await waitFor('nothing of its instance to be left', async () => (await remains(own)).length === 0);
  expect(await instanceOf(network.id)).toBeUndefined();
  expect((await vm.dhcp()).server).toBe('10.40.0.1');
  expect(await answersDhcp(router.id)).toBe(true);
  expect((await dhcpPorts(scene, isolated)).map(({ id }) => id)).toEqual([kept.id]);

  await lab.restartWithDhcp('port');
  const [server] = addressesOf(await dhcpPort(scene, network));
  await waitFor('the router to answer no more', async () => !(await answersDhcp(router.id)));
  expect((await vm.dhcp()).server).toBe(server);
});
