import { expect, test } from 'vitest';
import { configured, instanceOf, remains, traces } from './lib/astara.ts';
import { expectMetadata } from './lib/metadata.ts';
import { Scene } from './lib/scene.ts';
import { leased, routed } from './lib/topology.ts';
import { waitFor } from './lib/wait.ts';

test('metadata through the router, signed; what the machine claims to be does not count', async () => {
  await using scene = new Scene('metadata');
  const { networks } = await routed(scene, 'r', { cidrs: ['10.71.0.0/24'] });
  const [network] = networks;
  if (network === undefined) throw new Error('no network');
  await expectMetadata(await leased(scene, 'a', network));
});

test('a network without a router gets a small instance of its own: DHCP and metadata; with a router it is taken away', async () => {
  await using scene = new Scene('isolated');
  const { cloud } = scene;
  const network = await cloud.createNetwork('n');
  const subnet = await cloud.createSubnet(network, '10.72.0.0/24');
  const vm = await leased(scene, 'a', network);
  const own = await traces(await configured(network.id));
  const dhcpPorts = () => cloud.list('port', { network_id: network.id, device_owner: 'network:dhcp' });
  const ports = await dhcpPorts();
  expect(ports).toHaveLength(1);
  await vm.active();
  await expectMetadata(vm);

  const router = await cloud.createRouter('r');
  await cloud.addInterface(router, { subnet_id: subnet.id });
  await configured(router.id);
  await waitFor('the network’s own instance to be gone', async () => (await instanceOf(network.id)) === undefined);
  await waitFor('nothing of it to be left', async () => (await remains(own)).length === 0);
  await waitFor('its DHCP port to be released', async () => (await dhcpPorts()).length === 0);
  expect((await vm.dhcp()).server).toBe('10.72.0.1');
});
