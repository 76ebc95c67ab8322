import { expect, test } from 'vitest';
import { configured, remains, traces } from './lib/astara.ts';
import { EXTERNAL_ADDRESS } from './lib/external.ts';
import { Scene } from './lib/scene.ts';
import { waitFor } from './lib/wait.ts';

/** What a person types: the README's example, with the real client. */
test('network, router, gateway and floating IP made with the openstack client carry packets', async () => {
  await using scene = new Scene('cli');
  const { cloud } = scene;
  const [network, subnet, router] = ['net', 'subnet', 'router'].map((name) => cloud.named(name)) as [
    string,
    string,
    string,
  ];
  await cloud.cli('network', 'create', network);
  await cloud.cli('subnet', 'create', '--network', network, '--subnet-range', '10.91.0.0/24', subnet);
  await cloud.cli('router', 'create', router);
  await cloud.cli('router', 'add', 'subnet', router, subnet);
  await cloud.cli('router', 'set', '--external-gateway', 'ext', router);
  const [made] = await cloud.list('network', { name: network });
  const [routerMade] = await cloud.list('router', { name: router });
  if (made === undefined || routerMade === undefined) throw new Error('not made');

  const vm = await scene.vm('a', made);
  await vm.dhcp();
  await vm.reaches(EXTERNAL_ADDRESS);
  const address = (
    await cloud.cli(
      'floating',
      'ip',
      'create',
      '--port',
      vm.port.id,
      '--description',
      cloud.prefix,
      'ext',
      '-f',
      'value',
      '-c',
      'floating_ip_address',
    )
  ).trim();
  await scene.external.reaches(address);
  const status = () => cloud.cli('floating', 'ip', 'show', address, '-f', 'value', '-c', 'status');
  await waitFor('the client to show ACTIVE', async () => (await status()).trim() === 'ACTIVE');

  const instance = await traces(await configured(routerMade.id));
  await cloud.cli('floating', 'ip', 'delete', address);
  await cloud.cli('router', 'unset', '--external-gateway', router);
  await cloud.cli('router', 'remove', 'subnet', router, subnet);
  await cloud.cli('router', 'delete', router);
  await waitFor('nothing to be left', async () => (await remains(instance)).length === 0);
  expect((await vm.ping('10.91.0.1', { count: 2 })).received).toBe(0);
});
