import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { tapName } from '@astara/model/instance.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestHost } from '../testing/host.ts';
import { until } from '../testing/until.ts';
import type { Machine } from './hypervisor.ts';
import { NamespaceHypervisor, netnsName } from './namespaces.ts';
import { programsIn } from './processes.ts';

let host: TestHost;
let hypervisor: NamespaceHypervisor;
const children: (() => Promise<void>)[] = [];

beforeEach(async () => {
  host = await TestHost.make();
  hypervisor = new NamespaceHypervisor(host);
  await hypervisor.start();
});

afterEach(async () => {
  for (const id of await hypervisor.list()) await hypervisor.destroy(id);
  hypervisor.close();
  for (const end of children.splice(0)) await end();
  await host.remove();
});

function machine(nics = 1): Machine {
  const nic = (at: number) => ({
    device: `eth${at}`,
    portId: randomUUID(),
    mac: `fa:16:3e:00:00:0${at + 1}`,
    mtu: 1400,
  });
  return { id: randomUUID(), name: 'web', nics: Array.from({ length: nics }, (_, at) => nic(at)) };
}

const inHost = (...argv: string[]) => execFileSync('ip', ['netns', 'exec', host.netns, ...argv], { encoding: 'utf8' });

/** On the host's end of the wire: a router and DHCP server, 192.0.2.1. */
function serveDhcp(ifname: string): void {
  inHost('ip', 'address', 'add', '192.0.2.1/24', 'dev', ifname);
  inHost('ip', 'link', 'set', ifname, 'up');
  const options = ['--dhcp-option=option:classless-static-route,198.51.100.0/24,192.0.2.1,0.0.0.0/0,192.0.2.1'];
  const child = spawn('ip', [
    ...[
      'netns',
      'exec',
      host.netns,
      'dnsmasq',
      '--keep-in-foreground',
      '--conf-file=/dev/null',
      '--port=0',
      '--user=root',
    ],
    ...['--dhcp-leasefile=/dev/null', '--no-ping', '--pid-file', `--interface=${ifname}`, '--bind-interfaces'],
    ...['--dhcp-range=192.0.2.10,192.0.2.10,1h', '--dhcp-option=option:dns-server,192.0.2.1', ...options],
  ]);
  children.push(async () => {
    const ended = once(child, 'exit');
    if (child.kill('SIGKILL')) await ended;
  });
}

test('a machine takes a lease, follows its routes and answers with its name', async () => {
  const vm = machine();
  await hypervisor.boot(vm);
  const tap = tapName(vm.nics[0]?.portId ?? '');
  serveDhcp(tap);
  await until(
    async () => (await hypervisor.console(vm.id)).includes('eth0: lease of 192.0.2.10/24 from 192.0.2.1'),
    15_000,
  );
  expect(inHost('curl', '-sS', '-m', '5', 'http://192.0.2.10/')).toBe('web\n');
  const routes = await hypervisor.exec(vm.id, ['ip', 'route']);
  expect(routes).toMatchObject({ code: 0, stderr: '' });
  expect(routes.stdout).toContain('default via 192.0.2.1 dev eth0');
  expect(routes.stdout).toContain('198.51.100.0/24 via 192.0.2.1 dev eth0');
  expect((await hypervisor.exec(vm.id, ['cat', '/etc/resolv.conf'])).stdout).toBe('nameserver 192.0.2.1\n');
  const links = JSON.parse((await hypervisor.exec(vm.id, ['ip', '-json', 'link', 'show', 'dev', 'eth0'])).stdout);
  expect(links[0]).toMatchObject({ address: vm.nics[0]?.mac, mtu: 1400 });
});

test('a machine without a DHCP server keeps asking', async () => {
  const vm = machine();
  await hypervisor.boot(vm);
  await until(async () => /no answer from a DHCP server[\s\S]*discover/.test(await hypervisor.console(vm.id)), 15_000);
});

test('boot is repeatable and adds what is missing', async () => {
  const vm = machine(2);
  await hypervisor.boot(vm);
  const before = () => programsIn(netnsName(vm.id)).filter(({ command }) => command.startsWith('busybox'));
  await until(() => before().length === 3);
  const first = before();
  await hypervisor.boot(vm);
  expect(before()).toEqual(first);
  const [victim] = first;
  process.kill(victim?.pid ?? 0, 'SIGKILL');
  await until(() => before().length === 2);
  await hypervisor.boot(vm);
  await until(
    () =>
      before()
        .map(({ command }) => command)
        .sort()
        .join() ===
      first
        .map(({ command }) => command)
        .sort()
        .join(),
  );
});

test('halt takes programs and devices away and keeps the console; boot brings them back', async () => {
  const vm = machine(2);
  await hypervisor.boot(vm);
  await hypervisor.halt(vm.id);
  await hypervisor.halt(vm.id);
  expect(programsIn(netnsName(vm.id))).toEqual([]);
  expect(await host.kernel.listNetns()).not.toContain(netnsName(vm.id));
  expect(inHost('ip', 'link')).not.toContain('tap');
  expect(await hypervisor.console(vm.id)).toContain('halted');
  await expect(hypervisor.exec(vm.id, ['true'])).rejects.toMatchObject({ code: 'CLOUD_NO_MACHINE' });
  await hypervisor.boot(vm);
  expect(await hypervisor.exec(vm.id, ['echo', 'again'])).toMatchObject({ code: 0, stdout: 'again\n' });
});

test('what a killed run left is listed by the next and can be destroyed', async () => {
  const vm = machine();
  await hypervisor.boot(vm);
  hypervisor.close();
  hypervisor = new NamespaceHypervisor(host);
  await hypervisor.start();
  expect(await hypervisor.list()).toEqual([vm.id]);
  await hypervisor.destroy(vm.id);
  expect(await hypervisor.list()).toEqual([]);
  expect(await host.kernel.listNetns()).not.toContain(netnsName(vm.id));
  expect(existsSync(`/etc/netns/${netnsName(vm.id)}`)).toBe(false);
  expect(inHost('ip', 'link')).not.toContain('tap');
});

test('a program that does not end is ended, with its children', async () => {
  const vm = machine();
  await hypervisor.boot(vm);
  const ended = await hypervisor.exec(vm.id, ['sh', '-c', 'sleep 1000 & wait'], { timeout: 200 });
  expect(ended.code).toBeNull();
  await until(() => !programsIn(netnsName(vm.id)).some(({ command }) => command.includes('sleep')));
});
