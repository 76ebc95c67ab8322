import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tapName } from '@astara/model/instance.ts';
import pino from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Bridges } from '../l2/bridges.ts';
import { networkRow, portRow, subnetRow } from '../network/plain-rows.ts';
import type { NetworkRow, PortRow } from '../store/rows.ts';
import { Store } from '../store/store.ts';
import { TestHost } from '../testing/host.ts';
import { type TestNova, testNova } from '../testing/nova.ts';
import { until } from '../testing/until.ts';
import { images } from './catalog.ts';
import { NamespaceHypervisor, netnsName } from './namespaces.ts';
import { programsIn } from './processes.ts';

/** Real machines on real bridges. */

let host: TestHost;
let cloud: TestNova;
const undo: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  host = await TestHost.make();
  cloud = await start();
});

afterEach(async () => {
  await cloud.stop();
  for (const step of undo.splice(0).reverse()) await step();
  await host.remove();
});

const start = (store = new Store()) =>
  testNova({
    store,
    hypervisor: new NamespaceHypervisor(host),
    wiring: (requests) =>
      new Bridges({
        kernel: host.kernel,
        requests,
        log: pino({ level: 'silent' }),
        host: 'here',
        netns: host.netns,
      }),
  });

function network(): NetworkRow {
  return cloud.store.transaction(() => {
    const row = cloud.store.networks.put(networkRow({ project_id: cloud.project }));
    cloud.store.subnets.put(
      subnetRow(row, '10.1.0.0/24', { allocation_pools: [{ start: '10.1.0.10', end: '10.1.0.99' }] }),
    );
    return row;
  });
}

async function create(net: NetworkRow, name: string): Promise<string> {
  const networks = [{ uuid: net.id }];
  const server = { name, flavorRef: '1', imageRef: images[0]?.id, networks };
  const { body } = await cloud.ask('POST', '/compute/v2.1/servers', { server });
  return body.server.id;
}

const show = async (id: string) => (await cloud.ask('GET', `/compute/v2.1/servers/${id}`)).body.server;
const reaches = (id: string, status: string) => until(async () => (await show(id)).status === status);
const portOf = (id: string) => cloud.store.ports.by('device', id)[0];

/** A DHCP server in a namespace behind a port, as an agent's: it hands out what the store says. */
async function serveDhcp(net: NetworkRow): Promise<void> {
  const netns = `${host.netns}-d`;
  const port: PortRow = cloud.store.transaction(() => cloud.store.ports.put(portRow(net, { host_id: 'here' })));
  await host.kernel.createNetns(netns);
  undo.push(() => host.kernel.deleteNetns(netns));
  const [outside, inside] = [await host.kernel.open(host.netns), await host.kernel.open(netns)];
  const peer = { name: 'd0', netns, mac: port.mac_address };
  await outside.change([{ op: 'veth-add', name: tapName(port.id), mtu: 1450, peer }]);
  await inside.change([
    { op: 'link-set', ifname: 'd0', up: true },
    { op: 'address-add', ifname: 'd0', cidr: '10.1.0.2/24' },
  ]);
  outside.close();
  inside.close();
  const leases = cloud.store.ports
    .by('network', net.id)
    .flatMap(({ mac_address, fixed_ips }) =>
      fixed_ips.map(({ ip_address }) => `--dhcp-host=${mac_address},${ip_address}`),
    );
  const child = spawn('ip', [
    ...['netns', 'exec', netns, 'dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--port=0', '--user=root'],
    ...['--dhcp-leasefile=/dev/null', '--pid-file', '--no-ping', '--dhcp-range=10.1.0.0,static,1h', ...leases],
  ]);
  undo.push(async () => {
    const ended = once(child, 'exit');
    if (child.kill('SIGKILL')) await ended;
  });
}

test('two servers of a network are wired, take their leases and fetch each other’s page', async () => {
  const net = network();
  const [a, b] = [await create(net, 'one'), await create(net, 'two')];
  await reaches(a, 'ACTIVE');
  await reaches(b, 'ACTIVE');
  await serveDhcp(net);
  const address = portOf(b)?.fixed_ips[0]?.ip_address;
  const console = async (id: string) => {
    const path = `/compute/v2.1/servers/${id}/action`;
    return (await cloud.ask('POST', path, { 'os-getConsoleOutput': {} })).body.output as string;
  };
  for (const id of [a, b]) await until(async () => (await console(id)).includes('eth0: lease of'), 20_000);
  expect(await console(b)).toContain(`lease of ${address}/24`);
  expect(await cloud.compute.exec(a, ['curl', '-sS', '-m', '5', `http://${address}/`])).toEqual({
    code: 0,
    stdout: 'two\n',
    stderr: '',
  });
});

test('a stopped server’s port is down; when it is deleted nothing is left of it', async () => {
  const id = await create(network(), 'one');
  await reaches(id, 'ACTIVE');
  expect(portOf(id)?.status).toBe('ACTIVE');
  await cloud.ask('POST', `/compute/v2.1/servers/${id}/action`, { 'os-stop': null });
  await reaches(id, 'SHUTOFF');
  await until(() => portOf(id)?.status === 'DOWN');
  await cloud.ask('POST', `/compute/v2.1/servers/${id}/action`, { 'os-start': null });
  await reaches(id, 'ACTIVE');
  await until(() => portOf(id)?.status === 'ACTIVE');
  await cloud.ask('DELETE', `/compute/v2.1/servers/${id}`);
  await until(async () => !(await host.kernel.listNetns()).includes(netnsName(id)));
  await cloud.compute.idle();
  expect(await new NamespaceHypervisor(host).list()).toEqual([]);
});

test('machines of a killed run go when the next cloud does not know them', async () => {
  const id = await create(network(), 'one');
  await reaches(id, 'ACTIVE');
  await cloud.leave();
  expect(programsIn(netnsName(id)).length).toBeGreaterThan(0);
  cloud = await start();
  expect(await host.kernel.listNetns()).not.toContain(netnsName(id));
  expect(programsIn(netnsName(id))).toEqual([]);
});

test('machines of a killed run go on when the next cloud knows them', async () => {
  const [up, down] = [await create(network(), 'one'), await create(network(), 'two')];
  await reaches(up, 'ACTIVE');
  await reaches(down, 'ACTIVE');
  // A DHCP client runs its script now and then.
  const settled = (id: string) =>
    until(() => {
      const programs = programsIn(netnsName(id));
      return programs.length === 2 && programs;
    });
  const before = await settled(up);
  const { store, project } = cloud;
  await cloud.leave();
  for (const { pid } of programsIn(netnsName(down))) process.kill(pid, 'SIGKILL');
  cloud = await start(store);
  expect(await settled(up)).toEqual(before);
  await settled(down);
  expect(store.servers.by('project', project).map(({ status }) => status)).toEqual(['ACTIVE', 'ACTIVE']);
  expect([portOf(up)?.status, portOf(down)?.status]).toEqual(['ACTIVE', 'ACTIVE']);
});
