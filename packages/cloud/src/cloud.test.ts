import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Notification } from '@astara/messaging/contract.ts';
import { LocalBus } from '@astara/messaging/local/bus.ts';
import { afterEach, expect, test } from 'vitest';
import { StoreFile } from './store/file.ts';
import { Store } from './store/store.ts';
import { TestCloud } from './testing/cloud.ts';
import { TestHost } from './testing/host.ts';
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
  const cloud = await TestCloud.start({ messaging: server });
  ends.push(() => cloud.stop());
  const network = await cloud.make('networks', 'network', { name: 'n' });
  await cloud.ask('PUT', `networks/${network.id}`, { network: { name: 'm' } });
  await cloud.ask('POST', 'networks', { network: { mtu: 9000 } });
  await cloud.ask('DELETE', `networks/${network.id}`);
  const agent = { agent_type: 'L3 agent', binary: 'l3', topic: 'l3_agent', host: 'node1' };
  const report = { agent_state: { agent_state: agent } };
  await listener.call({ topic: 'q-reports-plugin', version: '1.2' }, 'report_state', report, { timeout: 5_000 });
  const router = await cloud.make('routers', 'router', {});
  const [{ id } = { id: '' }] = (await cloud.ask('GET', 'agents')).body.agents;
  await cloud.ask('POST', `agents/${id}/l3-routers`, { router_id: router.id });
  await until(() => heard.length >= 10);
  expect(heard.splice(7).map(({ eventType, publisherId }) => [eventType, publisherId])).toEqual([
    ['router.create.start', 'network.cloud1'],
    ['router.create.end', 'network.cloud1'],
    // As Neutron has it.
    ['l3_agent.router.add', 'router.cloud1'],
  ]);
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
  const first = await TestCloud.start({ file });
  ends.push(() => first.stop());
  const network = await first.make('networks', 'network', { name: 'kept' }, 'demo');
  await first.make('subnets', 'subnet', { network_id: network.id, ip_version: 4, cidr: '10.0.0.0/24' }, 'demo');
  const port = await first.make('ports', 'port', { network_id: network.id, 'binding:host_id': 'cloud1' });
  const status = () => first.cloud.store.ports.get(port.id)?.status;
  await until(() => status() === 'ACTIVE');
  const kept = [...first.cloud.store.tables()].map(([name, table]) => [name, table.all()] as const);
  await ends.pop()?.();

  const second = await TestCloud.start({ file });
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

async function takenPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  ends.push(() => void server.close());
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function hostOfItsOwn() {
  const host = await TestHost.make();
  const netns = `cloud-net-${randomBytes(3).toString('hex')}`;
  ends.push(async () => {
    await host.kernel.deleteNetns(netns);
    await host.remove();
  });
  const plane = { kind: 'devices', ...host, internet: { netns, addresses: ['198.51.100.1/32'] } } as const;
  return { kernel: host.kernel, plane };
}

test('a start that fails at its last step undoes all before it', async () => {
  const { kernel, plane } = await hostOfItsOwn();
  const bus = new LocalBus();
  const [messaging, agent] = [bus.connect('cloud'), bus.connect('agent')];
  ends.push(
    () => messaging.close(),
    () => agent.close(),
  );
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port: bindPort } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  const metadata = { host: '127.0.0.1', port: await takenPort(), sharedSecret: 's' };
  await expect(TestCloud.start({ messaging, plane, metadata, bindPort })).rejects.toMatchObject({
    code: 'CLOUD_LISTEN',
  });

  await expect(fetch(`http://127.0.0.1:${bindPort}/`)).rejects.toThrow('fetch failed');
  const asked = agent.call({ topic: 'q-plugin', version: '1.0' }, 'get_networks', {}, { timeout: 200 });
  await expect(asked, 'nobody listens any more').rejects.toMatchObject({ code: 'MESSAGING_TIMEOUT' });
  expect(await kernel.listNetns()).not.toContain(plane.internet.netns);
});

test('a second cloud on the same address touches nothing of the first', async () => {
  const { kernel, plane } = await hostOfItsOwn();
  const first = await TestCloud.start({ plane });
  ends.push(() => first.stop());
  const file = join(plane.runDir, 'cloud.sqlite');
  const bindPort = Number(new URL(first.cloud.url).port);
  await expect(TestCloud.start({ plane, bindPort })).rejects.toMatchObject({ code: 'CLOUD_LISTEN' });
  expect(await kernel.listNetns()).toContain(plane.internet.netns);
  await expect(TestCloud.start({ plane, bindPort, file })).rejects.toMatchObject({ code: 'CLOUD_LISTEN' });
  new StoreFile(file, new Store()).close();
});
