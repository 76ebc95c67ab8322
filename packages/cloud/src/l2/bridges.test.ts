import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Kernel } from '@astara/kernel/contract.ts';
import { openKernel } from '@astara/kernel/open.ts';
import { tapName } from '@astara/model/instance.ts';
import pino from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Requests } from '../api/requests.ts';
import { networkRow, portRow, subnetRow } from '../network/plain-rows.ts';
import type { NetworkRow, PortRow } from '../store/rows.ts';
import { Store } from '../store/store.ts';
import { until } from '../testing/until.ts';
import { Bridges } from './bridges.ts';
import { bridgeName, legName } from './names.ts';

let kernel: Kernel;
let store: Store;
let requests: Requests;
let host: string;
let internet: string;
const running: Bridges[] = [];

beforeEach(async () => {
  kernel = await openKernel('auto');
  store = new Store();
  requests = new Requests(store, () => undefined);
  const id = randomBytes(3).toString('hex');
  host = `l2-host-${id}`;
  internet = `l2-net-${id}`;
  await kernel.createNetns(host);
});

afterEach(async () => {
  for (const bridges of running.splice(0)) await bridges.stop();
  for (const netns of [host, internet]) await kernel.deleteNetns(netns);
});

function bridges(): Bridges {
  const made = new Bridges({
    kernel,
    requests,
    log: pino({ level: 'silent' }),
    host: 'here',
    netns: host,
    internet: { netns: internet, addresses: ['198.51.100.1/32', '2001:db8:0:1::1/128'] },
  });
  running.push(made);
  return made;
}

const ip = (netns: string, ...args: string[]) =>
  execFileSync('ip', ['-n', netns, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

interface Shown {
  readonly ifname: string;
  readonly mtu: number;
  readonly master?: string;
  readonly flags: readonly string[];
}

const links = (netns = host): Shown[] => JSON.parse(ip(netns, '-json', 'link', 'show'));
const link = (ifname: string, netns = host) => links(netns).find((shown) => shown.ifname === ifname);

/** As an agent or a hypervisor does. */
function addTap(port: PortRow): void {
  ip(host, 'link', 'add', tapName(port.id), 'type', 'veth', 'peer', 'name', `x${port.id.slice(0, 11)}`);
}

function network(given: Partial<NetworkRow> = {}): NetworkRow {
  return store.transaction(() => store.networks.put(networkRow(given)));
}

function port(net: NetworkRow, given: Partial<PortRow> = {}): PortRow {
  return store.transaction(() => store.ports.put(portRow(net, { host_id: 'here', ...given })));
}

const status = ({ id }: PortRow) => store.ports.get(id)?.status;

test('a tap is wired when it appears, and its port is down again when it goes', async () => {
  const net = network({ mtu: 1400 });
  const mine = port(net);
  const elsewhere = port(net, { host_id: 'elsewhere' });
  await bridges().start();
  expect(status(mine)).toBe('DOWN');
  addTap(mine);
  addTap(elsewhere);
  await until(() => status(mine) === 'ACTIVE');
  expect(link(tapName(mine.id))).toMatchObject({ master: bridgeName(net.id), mtu: 1400 });
  expect(link(tapName(mine.id))?.flags).toContain('UP');
  expect(link(bridgeName(net.id))).toMatchObject({ mtu: 1400 });
  expect(link(tapName(elsewhere.id))?.master).toBeUndefined();
  expect(status(elsewhere)).toBe('DOWN');

  ip(host, 'link', 'delete', tapName(mine.id));
  await until(() => status(mine) === 'DOWN');
  expect(store.ports.get(mine.id)?.provisioning).toEqual(['L2']);
});

test('a port that the DHCP server does not know yet is wired and not ACTIVE', async () => {
  const mine = port(network(), { provisioning: ['L2', 'DHCP'] });
  addTap(mine);
  await bridges().start();
  expect(store.ports.get(mine.id)).toMatchObject({ status: 'DOWN', provisioning: ['DHCP'] });
});

test('a port that is administratively down is down', async () => {
  const mine = port(network());
  addTap(mine);
  await bridges().start();
  expect(status(mine)).toBe('ACTIVE');
  store.transaction(() => store.ports.put({ ...mine, ...store.ports.get(mine.id), admin_state_up: false }));
  await until(() => status(mine) === 'DOWN');
  await until(() => !link(tapName(mine.id))?.flags.includes('UP'));
});

test('a bridge goes with the last port of its network; a bridge of others stays', async () => {
  ip(host, 'link', 'add', 'brqsomebody-0', 'type', 'bridge');
  const net = network();
  const mine = port(net);
  addTap(mine);
  await bridges().start();
  expect(link(bridgeName(net.id))).toBeDefined();
  store.transaction(() => store.ports.delete(mine.id));
  await until(() => link(bridgeName(net.id)) === undefined);
  expect(link('brqsomebody-0')).toBeDefined();
});

test('an external network leads to the internet', async () => {
  const net = network({ external: true, mtu: 1500 });
  const subnet = store.transaction(() =>
    store.subnets.put(subnetRow(net, '203.0.113.0/24', { gateway_ip: '203.0.113.1' })),
  );
  store.transaction(() => store.subnets.put(subnetRow(net, '2001:db8:ff::/64', { gateway_ip: '2001:db8:ff::1' })));
  const mine = port(net);
  await bridges().start();
  // A machine behind the port, as a router's gateway is.
  addTap(mine);
  const inside = `x${mine.id.slice(0, 11)}`;
  await kernel.createNetns(`${host}-r`);
  try {
    ip(host, 'link', 'set', inside, 'netns', `${host}-r`);
    ip(`${host}-r`, 'link', 'set', inside, 'up');
    ip(`${host}-r`, 'address', 'add', '203.0.113.9/24', 'dev', inside);
    ip(`${host}-r`, 'address', 'add', '2001:db8:ff::9/64', 'dev', inside, 'nodad');
    ip(`${host}-r`, 'route', 'add', 'default', 'via', '203.0.113.1');
    ip(`${host}-r`, 'route', 'add', 'default', 'via', '2001:db8:ff::1');
    await until(() => status(mine) === 'ACTIVE');
    for (const address of ['198.51.100.1', '2001:db8:0:1::1'])
      execFileSync('ip', ['netns', 'exec', `${host}-r`, 'ping', '-c', '1', '-W', '2', address]);
  } finally {
    await kernel.deleteNetns(`${host}-r`);
  }
  store.transaction(() => store.subnets.put({ ...subnet, gateway_ip: '203.0.113.254' }));
  const addresses = () => ip(internet, '-4', 'address', 'show', 'dev', legName(net.id));
  await until(() => addresses().includes('203.0.113.254/24') && !addresses().includes('203.0.113.1/24'));
});

test('what a killed run left is adopted when it is wanted and removed when it is not', async () => {
  const [kept, lost] = [network(), network()];
  const [mine, other] = [port(kept), port(lost)];
  const external = network({ external: true });
  addTap(mine);
  addTap(other);
  const killed = bridges();
  await killed.start();
  const index = (ifname: string) => JSON.parse(ip(host, '-json', 'link', 'show', 'dev', ifname))[0].ifindex;
  const before = [index(bridgeName(kept.id)), index(legName(external.id))];
  await killed.leave();
  running.pop();

  store.transaction(() => store.ports.delete(other.id));
  await bridges().start();
  expect([index(bridgeName(kept.id)), index(legName(external.id))]).toEqual(before);
  expect(link(bridgeName(lost.id))).toBeUndefined();
});

test('stop removes the bridges, the legs and the internet, and leaves the taps', async () => {
  const mine = port(network());
  network({ external: true });
  addTap(mine);
  const made = bridges();
  await made.start();
  expect(await kernel.listNetns()).toContain(internet);
  await made.stop();
  expect(
    links()
      .map(({ ifname }) => ifname)
      .filter((name) => /^(brq|ext)/.test(name)),
  ).toEqual([]);
  expect(link(tapName(mine.id))).toBeDefined();
  expect(await kernel.listNetns()).not.toContain(internet);
});

test('a namespace of somebody else is refused by name', async () => {
  await kernel.createNetns(internet);
  await expect(bridges().start()).rejects.toMatchObject({
    code: 'CLOUD_NOT_OURS',
    message: expect.stringContaining(internet),
  });
});
