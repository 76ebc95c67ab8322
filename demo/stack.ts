import { randomBytes } from 'node:crypto';
import { mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Cloud, startCloud } from '@astara/cloud/cloud.ts';
import { loadConfig } from '@astara/config/load.ts';
import { openKernel } from '@astara/kernel/open.ts';
import { LocalBus } from '@astara/messaging/local/bus.ts';
import { checkOrchestrator, foreignToOrchestrator, orchestratorSections } from '@astara/orchestrator/options.ts';
import { startOrchestrator } from '@astara/orchestrator/orchestrator.ts';
import { SimulatedHost } from '@astara/orchestrator/providers/simulated.ts';
import { destination, type Logger, pino } from 'pino';
import { type Account, login } from './account.ts';
import { AgentProcess } from './agent-process.ts';
import { freePort } from './free-port.ts';
import { noteProcess } from './previous-run.ts';
import type { Screen } from './screen.ts';

/** Name of the one host: that of the agents, and of the servers' hypervisor. */
const HOST = 'demo';
export const INTERNET = 'astara-internet';
/** What answers outside: TEST-NET-3 is the cloud's external network, this is somebody further away. */
export const OUTSIDE = '192.0.2.1';

/** Of the orchestrator's API, when nobody else has it. */
const API_PORT = 44260;

/** What runs: a cloud, and Astara in it. */
export interface Stack {
  readonly cloud: Cloud;
  /** Of the orchestrator's API. */
  readonly api: string;
  /** `clouds.yaml` for the `openstack` client. */
  readonly cloudsYaml: string;
  admin(): Account;
  tenant(name: string): Account;
  /** Ends everything and removes what it made. */
  stop(): Promise<void>;
}

export interface StackOptions {
  /** For sockets, logs and configuration. */
  readonly dir: string;
  readonly tenants: readonly string[];
  /** No devices, no namespaces: instances and servers are imagined. */
  readonly simulated: boolean;
}

export async function startStack(screen: Screen, { dir, tenants, simulated }: StackOptions): Promise<Stack> {
  mkdirSync(dir, { recursive: true, mode: 0o750 });
  noteProcess(dir, 'demo', process.pid);
  const log = pino({ name: 'demo' }, destination({ dest: openSync(join(dir, 'demo.log'), 'w'), sync: true }));
  const password = randomBytes(12).toString('base64url');
  const ends: (() => unknown)[] = [];
  const stop = async () => {
    for (const end of ends.splice(0).toReversed()) await end();
  };
  try {
    const bus = new LocalBus();
    const neutronBus = bus.connect('cloud', { log });
    ends.push(() => neutronBus.close());
    const cloud = await screen.step(
      'cloud: Keystone, Neutron and Nova, in this process',
      async () => startCloud(await cloudOptions(dir, tenants, password, simulated, log), { messaging: neutronBus }),
      ({ url }) => url,
    );
    ends.push(() => cloud.stop());
    const file = writeConfig(dir, cloud, password, await freePort(API_PORT));
    if (!simulated) {
      const starting = () => AgentProcess.start(dir, file);
      const agent = await screen.step('astara-agent: makes service instances on this machine', starting);
      ends.push(() => agent.stop());
    }
    const messaging = bus.connect('orchestrator', { log });
    ends.push(() => messaging.close());
    const program = { sections: orchestratorSections, foreign: foreignToOrchestrator, check: checkOrchestrator };
    const { config } = loadConfig(program, [{ kind: 'file', path: file }]);
    const host = new SimulatedHost({ ensure: 5, push: 2 });
    const ground = { messaging, ...(simulated ? { host: { provider: host, appliances: host } } : {}) };
    const orchestrator = await screen.step(
      'orchestrator: the L3 and DHCP agent of this cloud',
      () => startOrchestrator(config, ground, log),
      ({ url }) => url,
    );
    ends.push(() => orchestrator.stop());
    const as = (user: string) => () => login({ authUrl: `${cloud.url}/identity/v3`, user, project: user, password });
    return {
      cloud,
      api: orchestrator.url,
      cloudsYaml: writeCloudsYaml(dir, cloud.url, tenants, password),
      admin: as('admin'),
      tenant: (name) => as(name)(),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function cloudOptions(
  dir: string,
  tenants: readonly string[],
  password: string,
  simulated: boolean,
  log: Logger,
) {
  const accounts = [
    { user: 'admin', password, project: 'admin', role: 'admin' },
    { user: 'astara', password, project: 'service', role: 'admin' },
    ...tenants.map((name) => ({ user: name, password, project: name, role: 'member' })),
  ];
  const plane = simulated
    ? ({ kind: 'simulated' } as const)
    : ({
        kind: 'devices',
        kernel: await openKernel('auto', (reason) => log.warn({ err: reason }, 'kernel by iproute2: slower')),
        runDir: join(dir, 'cloud'),
        internet: { netns: INTERNET, addresses: [`${OUTSIDE}/32`] },
      } as const);
  return {
    bindHost: '127.0.0.1',
    bindPort: 0,
    host: HOST,
    accounts,
    tokenLifetime: 86_400_000,
    plane,
    metadata: { host: '127.0.0.1', port: 0, sharedSecret: password },
    log,
  };
}

/** What both of Astara's programs read, as an operator would write it. */
function writeConfig(dir: string, cloud: Cloud, password: string, apiPort: number): string {
  const file = join(dir, 'astara.conf');
  const text = `[DEFAULT]
host = ${HOST}
run_dir = ${dir}
# Not used: the demo hands over a bus of its own.
transport_url = rabbit://in-process/

[keystone]
auth_url = ${cloud.url}/identity/v3
username = astara
password = ${password}
project_name = service

[metadata]
nova_metadata_port = ${new URL(cloud.metadataUrl ?? 'http://127.0.0.1:8775').port}
metadata_proxy_shared_secret = ${password}

[api]
bind_port = ${apiPort}
`;
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

function writeCloudsYaml(dir: string, url: string, tenants: readonly string[], password: string): string {
  const file = join(dir, 'clouds.yaml');
  const entry = (name: string) => `  ${name}:
    auth:
      auth_url: ${url}/identity/v3
      username: ${name}
      password: ${password}
      project_name: ${name}
      user_domain_name: Default
      project_domain_name: Default
`;
  writeFileSync(file, `clouds:\n${['admin', ...tenants].map(entry).join('')}`, { mode: 0o600 });
  return file;
}
