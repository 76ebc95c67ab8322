import { loadConfig } from '@astara/config/load.ts';
import { connectMessaging } from '@astara/messaging/messaging.ts';
import { checkOrchestrator, foreignToOrchestrator, orchestratorSections } from '@astara/orchestrator/options.ts';
import { type Orchestrator, startOrchestrator } from '@astara/orchestrator/orchestrator.ts';
import { SimulatedHost } from '@astara/orchestrator/providers/simulated.ts';
import { pino } from 'pino';
import { waitFor } from '../../e2e/lib/wait.ts';
import { type FromOrchestrator, now, type ToOrchestrator } from './messages.ts';

/** The real orchestrator on an simulated host. Arguments: configuration file, routers. Ends when its parent does. */
const [file = '', count = ''] = process.argv.slice(2);
const routers = Number(count);
const log = pino({ level: process.env.BENCH_LOG ?? 'warn' });
const program = { sections: orchestratorSections, foreign: foreignToOrchestrator, check: checkOrchestrator };
const { config } = loadConfig(program, [{ kind: 'file', path: file }]);
const host = new SimulatedHost({ ensure: 5, push: 2 });
const watched = new Map<string, string>();
let orchestrator: Orchestrator;

host.onPush = ({ resource: { id: router } }, { floating_ips }) => {
  const fixedIp = watched.get(router);
  if (fixedIp === undefined || !floating_ips.some((one) => one.fixed_ip === fixedIp)) return;
  watched.delete(router);
  tell({ type: 'applied', router, at: now() });
};

process.on('message', (message: ToOrchestrator) => void answer(message));
process.once('disconnect', () => process.exit(0));
await begin();

async function begin(): Promise<void> {
  const began = now();
  const messaging = connectMessaging({
    transportUrl: config.DEFAULT.transport_url.reveal(),
    connectionName: 'orchestrator',
    log,
  });
  const started = await startOrchestrator(config, { messaging, host: { provider: host, appliances: host } }, log);
  orchestrator = {
    ...started,
    stop: async () => {
      await started.stop();
      await messaging.close();
    },
  };
  const inSync = async () => (await configuredRouters(started.url)) === routers;
  await waitFor('all routers to be in sync', inSync, { timeout: 3_600_000, interval: Math.max(10, routers / 50) });
  tell({ type: 'synced', began, at: now() });
}

async function configuredRouters(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^astara_resources\{kind="router",phase="CONFIGURED"\} (\d+)$/m.exec(metrics)?.[1] ?? 0);
}

async function answer(message: ToOrchestrator): Promise<void> {
  if (message.type === 'watch') watched.set(message.router, message.fixedIp);
  if (message.type === 'measure') {
    const { user, system } = process.cpuUsage();
    globalThis.gc?.();
    tell({ type: 'measured', cpu: (user + system) / 1e6, heap: process.memoryUsage().heapUsed / 2 ** 20 });
  }
  if (message.type === 'restart') {
    await orchestrator.stop();
    await begin();
  }
  if (message.type === 'stop') {
    await orchestrator.stop();
    process.exit(0);
  }
}

function tell(message: FromOrchestrator): void {
  process.send?.(message);
}
