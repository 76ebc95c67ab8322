import { glob, readFile } from 'node:fs/promises';
import type { Network, Port } from '@astara/openstack/neutron-types.ts';
import { expect, test } from 'vitest';
import { configured, metric } from './lib/astara.ts';
import { Casts } from './lib/casts.ts';
import * as lab from './lib/lab.ts';
import { Scene } from './lib/scene.ts';
import { routed } from './lib/topology.ts';
import type { Vm } from './lib/vm.ts';
import { waitFor } from './lib/wait.ts';

/** Configurations that appliances were given. */
const applies = () => metric('astara_step_seconds_count', { step: 'configure', result: 'ok' });

/** Resolves when nothing was applied for a second. */
const quiet = () =>
  waitFor('quiet', async () => {
    const before = await applies();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    return before === (await applies());
  });

/** Thirty ports in one request. Only the last is bound, to be a machine's: binding is what takes Neutron long. */
async function thirtyPorts({ cloud }: Scene, network: Network): Promise<Port[]> {
  const { id } = await cloud.openGroup();
  const fields = { device_owner: 'compute:lab', security_groups: [id] };
  const bound = { ...fields, 'binding:host_id': lab.LAB_HOST };
  return cloud.createPorts(network, [...Array<typeof fields>(29).fill(fields), bound]);
}

/** What the DHCP of the instance's network reads, whatever its interface is called. */
async function dhcpFiles(instanceId: string, ...patterns: string[]): Promise<string> {
  const cwd = `/run/astara/instances/${instanceId}/run/dnsmasq`;
  const files = await Array.fromAsync(
    glob(
      patterns.map((pattern) => `*/dhcp/${pattern}`),
      { cwd },
    ),
  );
  return (await Promise.all(files.map((file) => readFile(`${cwd}/${file}`, 'utf8')))).join('');
}

/** Every port has its address reserved; a machine on the last one, which is returned, gets it. */
async function expectLeases(scene: Scene, instanceId: string, network: Network, ports: readonly Port[]): Promise<Vm> {
  const hosts = await dhcpFiles(instanceId, 'base', 'since/*');
  for (const { mac_address, fixed_ips } of ports)
    expect(hosts).toMatch(new RegExp(`^${mac_address},.*\\b${fixed_ips[0]?.ip_address}\\b`, 'm'));
  const last = ports.at(-1);
  if (last === undefined) throw new Error('no ports');
  const vm = await scene.vmOn('a', network, last);
  expect((await vm.dhcp()).address).toBe(`${vm.address()}/24`);
  return vm;
}

/**
 * What may become of changes that keep coming for `span` milliseconds: three applies at once, then one every 400 ms
 * (orchestrator/reconciler/apply-budget.ts); when the last of them comes, one is under way and one follows.
 */
const few = (span: number) => 3 + Math.ceil(span / 400) + 2;

/** Makes Neutron cast `method` 30 times: how long they took to arrive, in milliseconds, and how many applies they became. */
async function burst(casts: Casts, method: string, work: () => Promise<unknown>) {
  await quiet();
  const before = await applies();
  await work();
  const times = await waitFor(`30 times ${method}`, () => {
    const heard = casts.times(method);
    return heard.length >= 30 && heard;
  });
  await quiet();
  const span = (times[29] ?? 0) - (times[0] ?? 0);
  const count = (await applies()) - before;
  console.log(`30 ${method} within ${Math.round(span)} ms: ${count} applies`);
  return { span, count };
}

test('30 ports made in a second, then changed in a second: a few applies, and every port has its lease and its options', async () => {
  await using scene = new Scene('burst');
  const { networks, router } = await routed(scene, 'r', { cidrs: ['10.81.0.0/24'] });
  const [network] = networks;
  if (network === undefined) throw new Error('no network');
  const { id } = await configured(router.id);
  await using casts = await Casts.overhear('dhcp_agent');

  let ports: Port[] = [];
  const made = await burst(casts, 'port_create_end', async () => {
    ports = await thirtyPorts(scene, network);
  });
  expect(made.count).toBeLessThanOrEqual(few(made.span));
  const vm = await expectLeases(scene, id, network, ports);

  const ntp = (n: number) => ({ extra_dhcp_opts: [{ opt_name: 'ntp-server', opt_value: `192.0.2.${n}` }] });
  const changed = await burst(casts, 'port_update_end', () =>
    Promise.all(ports.map((port, n) => scene.cloud.update('port', port, ntp(n)))),
  );
  expect(changed.count).toBeLessThanOrEqual(few(changed.span));
  expect((await dhcpFiles(id, 'options')).match(/192\.0\.2\.\d+$/gm)).toHaveLength(30);
  expect((await vm.dhcp()).raw.ntpsrv).toBe('192.0.2.29');
});

test('33 changes that arrive in one moment: at most 5 applies, and the last word counts', async () => {
  await using scene = new Scene('moment');
  const { cloud } = scene;
  const { networks, router } = await routed(scene, 'r', { cidrs: ['10.82.0.0/24'] });
  const [network] = networks;
  if (network === undefined) throw new Error('no network');
  const { id } = await configured(router.id);
  await quiet();
  const before = await applies();
  // Neutron's API is slower than that: what it has to say is kept until all of it is said.
  await lab.pause('astara-orchestrator');
  let ports: Port[];
  try {
    await using casts = await Casts.overhear('dhcp_agent');
    ports = await thirtyPorts(scene, network);
    for (const n of [1, 2, 3])
      await cloud.setRoutes(router, [{ destination: `172.30.${n}.0/24`, nexthop: '10.82.0.99' }]);
    await waitFor('all ports to be told of', () => casts.times('port_create_end').length === 30);
  } finally {
    await lab.resume('astara-orchestrator');
  }
  const routes = () => scene.external.exec(['ip', '-n', `astara-${id}`, 'route']);
  await waitFor('the last route to be in force', async () => /172\.30\.3\.0\/24/.test(await routes()));
  await quiet();
  const count = (await applies()) - before;
  console.log(`33 changes in one moment: ${count} applies`);
  expect(count).toBeLessThanOrEqual(5);
  expect((await routes()).match(/172\.30\./g)).toHaveLength(1);
  await expectLeases(scene, id, network, ports);
});
