import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { configured, instanceOf, remains, traces } from './lib/astara.ts';
import { LAB_PASSWORD } from './lib/lab.ts';
import { Scene } from './lib/scene.ts';
import { leased, routed } from './lib/topology.ts';
import type { Vm } from './lib/vm.ts';
import { waitFor } from './lib/wait.ts';

/** Nova's stand-in answers with the headers that reached it. */
async function expectMetadata(vm: Vm): Promise<void> {
  const answer = await vm.httpGet('http://169.254.169.254/openstack/latest/meta_data.json', {
    'X-Instance-ID': 'forged',
    'X-Tenant-ID': 'forged',
  });
  expect(answer.status).toBe(200);
  const text = answer.body.toLowerCase();
  const instance = vm.port.device_id;
  expect(text).toContain(instance.toLowerCase());
  expect(text).toContain(createHmac('sha256', LAB_PASSWORD).update(instance).digest('hex'));
  expect(text).toContain(vm.port.project_id);
  expect(text).toContain(vm.address());
  expect(text).not.toContain('forged');
}

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
