import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Network } from '@astara/openstack/neutron-types.ts';
import { waitFor } from '../e2e/lib/wait.ts';
import { keepEvidence } from './evidence.ts';
import { leftovers } from './leftovers.ts';
import type { DemoOptions } from './options.ts';
import { endPreviousRun } from './previous-run.ts';
import { type Places, prove } from './proofs.ts';
import { readResources, resourceLines } from './resources.ts';
import type { Screen } from './screen.ts';
import { INTERNET, OUTSIDE, type Stack, startStack } from './stack.ts';
import { buildTenant, type Tenant } from './tenant.ts';

/** Always the same, so that what a killed run left is found and removed by the next. */
const RUN_DIR = '/run/astara-demo';
const tenants = ['red', 'blue'] as const;

/** The whole demo, from nothing to nothing. Rejects when anything was not as it should be; everything is removed then, too. */
export async function runDemo(screen: Screen, { check, simulated }: DemoOptions): Promise<void> {
  const dir = simulated ? mkdtempSync(join(tmpdir(), 'astara-demo-')) : RUN_DIR;
  const leaving = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => leaving.abort());
  screen.say(`\nAstara, on a cloud of its own${simulated ? '; instances and servers are imagined' : ''}\n`);
  await endPreviousRun(dir);
  const stack = await startStack(screen, { dir, tenants, simulated });
  let built: readonly Tenant[] = [];
  try {
    built = await build(screen, stack, leaving.signal);
    if (!simulated) {
      await prove(screen, { internet: INTERNET, exec: execIn(stack) }, built, OUTSIDE);
    }
    screen.say('');
    screen.table(resourceLines(await readResources(stack.api), built));
    if (!check) await stay(screen, stack, built, dir, leaving.signal);
  } catch (error) {
    if (leaving.signal.aborted) return;
    screen.say(`\nWhat the programs logged, and what is in the kernel, is kept in ${await keepEvidence(dir)}`);
    throw error;
  } finally {
    screen.say('');
    await screen.step('everything that was made is removed', () => remove(stack, built));
    rmSync(dir, { recursive: true, force: true });
  }
}

async function build(screen: Screen, stack: Stack, signal: AbortSignal): Promise<Tenant[]> {
  const admin = stack.admin();
  const external = await screen.step('external network: 203.0.113.0/24', () => buildExternal(admin));
  await admin.close();
  const built: Tenant[] = [];
  for (const name of tenants) {
    signal.throwIfAborted();
    const account = stack.tenant(name);
    built.push(
      await screen.step(
        `${name}: network 10.0.0.0/24, router, server, floating IP`,
        () => buildTenant(account, external),
        ({ floatingIp }) => floatingIp.floating_ip_address,
      ),
    );
    await account.close();
  }
  const applied = async () => {
    const states = await readResources(stack.api);
    return built.every(({ router }) => states.some(({ id, phase }) => id === router.id && phase === 'CONFIGURED'));
  };
  await screen.step('both routers are instances, configured', () =>
    waitFor('both to be CONFIGURED', applied, { interval: 20 }),
  );
  return built;
}

function execIn({ cloud }: Stack): Places['exec'] {
  return async (serverId, argv) => {
    const { code, stdout, stderr } = await cloud.compute.exec(serverId, argv);
    if (code !== 0) throw new Error(`${argv[0]}: exit ${code}: ${stderr.trim()}`);
    return stdout;
  };
}

async function remove({ cloud, stop }: Stack, tenants: readonly Tenant[]): Promise<void> {
  const { networks, ports } = cloud.store;
  const ids = { networks: networks.all().map(({ id }) => id), ports: ports.all().map(({ id }) => id) };
  await stop();
  const left = leftovers(tenants, ids.networks, ids.ports);
  if (left.length > 0) throw new Error(`still there: ${left.join(', ')}`);
}

async function buildExternal({ neutron }: ReturnType<Stack['admin']>): Promise<Network> {
  const network = await neutron.networks.create({
    name: 'external',
    'router:external': true,
    'provider:network_type': 'flat',
    'provider:physical_network': 'external',
  });
  await neutron.subnets.create({
    name: 'external',
    network_id: network.id,
    ip_version: 4,
    cidr: '203.0.113.0/24',
    gateway_ip: '203.0.113.1',
    enable_dhcp: false,
    allocation_pools: [{ start: '203.0.113.10', end: '203.0.113.250' }],
  });
  return network;
}

/** Runs on, with a table that follows, until Ctrl-C. */
async function stay(
  screen: Screen,
  { api, cloud, cloudsYaml }: Stack,
  built: readonly Tenant[],
  dir: string,
  signal: AbortSignal,
): Promise<void> {
  const [red] = built;
  screen.say(`
It runs on until Ctrl-C. Try, in another terminal, as root:

  curl -s ${api}/v1/resources                  what Astara makes of it
  curl -s ${api}/metrics | grep ^astara_       how fast, how much, how well
  ip netns exec ${INTERNET} curl -s http://${red?.floatingIp.floating_ip_address}/    through a floating IP
  ip netns exec astara-${red?.router.id} nft list ruleset

  export OS_CLIENT_CONFIG_FILE=${cloudsYaml} OS_CLOUD=red      (apt install python3-openstackclient)
  openstack server list
  openstack router set --disable red && openstack router set --enable red

Neutron, Keystone and Nova: ${cloud.url}    Logs: ${dir}/*.log
`);
  while (!signal.aborted) {
    screen.table(resourceLines(await readResources(api), built));
    await Promise.race([once(signal, 'abort'), new Promise((resolve) => setTimeout(resolve, 500))]);
  }
}
