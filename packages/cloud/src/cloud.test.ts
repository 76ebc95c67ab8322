import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Notification } from '@astara/messaging/contract.ts';
import { LocalBus } from '@astara/messaging/local/bus.ts';
import { afterEach, expect, test } from 'vitest';
import { TestCloud } from './testing/client.ts';
import { until } from './testing/until.ts';

const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

test('what happens is told in order, on behalf of who asked, and what fails is only announced', async () => {
  const bus = new LocalBus();
  const [server, listener] = [bus.connect('cloud'), bus.connect('listener')];
  ends.push(
    () => server.close(),
    () => listener.close(),
  );
  const heard: Notification[] = [];
  await listener.listen({
    exchange: 'neutron',
    topics: ['notifications.info'],
    queue: 'mine',
    handler: (notification) => void heard.push(notification),
  });
  const cloud = await TestCloud.start(server);
  ends.push(() => cloud.stop());
  const network = await cloud.make('networks', 'network', { name: 'n' });
  await cloud.ask('PUT', `networks/${network.id}`, { network: { name: 'm' } });
  await cloud.ask('POST', 'networks', { network: { mtu: 9000 } });
  await cloud.ask('DELETE', `networks/${network.id}`);
  await until(() => heard.length >= 7);
  expect(heard.map(({ eventType }) => eventType)).toEqual([
    'network.create.start',
    'network.create.end',
    'network.update.start',
    'network.update.end',
    'network.create.start',
    'network.delete.start',
    'network.delete.end',
  ]);
  expect(heard.map(({ payload }) => payload)).toEqual([
    { network: { name: 'n' } },
    { network: { ...network } },
    { network: { name: 'm' }, id: network.id },
    { network: expect.objectContaining({ name: 'm', revision_number: network.revision_number + 1 }) },
    { network: { mtu: 9000 } },
    { network_id: network.id },
    { network: expect.objectContaining({ name: 'm' }), network_id: network.id },
  ]);
  expect(heard[1]).toMatchObject({ publisherId: 'network.cloud1', context: { userName: 'admin', isAdmin: true } });
  expect(heard[0]?.context.requestId).toBe(heard[1]?.context.requestId);
});

test('with a file, a cloud goes on where the last one ended', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'cloud-file-'));
  ends.push(() => rmSync(dir, { recursive: true }));
  const file = join(dir, 'cloud.sqlite');
  const first = await TestCloud.start(undefined, file);
  ends.push(() => first.stop());
  const network = await first.make('networks', 'network', { name: 'kept' }, 'demo');
  await first.make('subnets', 'subnet', { network_id: network.id, ip_version: 4, cidr: '10.0.0.0/24' }, 'demo');
  const port = await first.make('ports', 'port', { network_id: network.id, 'binding:host_id': 'cloud1' });
  const status = () => first.cloud.store.ports.get(port.id)?.status;
  await until(() => status() === 'ACTIVE');
  const kept = [...first.cloud.store.tables()].map(([name, table]) => [name, table.all()] as const);
  await ends.pop()?.();

  const second = await TestCloud.start(undefined, file);
  ends.push(() => second.stop());
  const present = new Map([...second.cloud.store.tables()].map(([name, table]) => [name, table.all()]));
  // Passwords are taken from the options again, with new salt.
  for (const [name, rows] of kept) if (name !== 'users') expect([name, present.get(name)]).toEqual([name, rows]);
  expect((await second.ask('GET', 'networks?name=kept', undefined, 'demo')).body.networks).toMatchObject([
    { id: network.id },
  ]);
  const address = { fixed_ips: [{ ip_address: '10.0.0.2' }], network_id: network.id };
  expect((await second.ask('POST', 'ports', { port: address })).status).toBe(409);
});
