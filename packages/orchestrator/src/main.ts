import { failToStart, loadOrExit } from '@astara/config/start.ts';
import { createLogger } from './logger.ts';
import { checkOrchestrator, foreignToOrchestrator, orchestratorSections } from './options.ts';
import { type Orchestrator, startOrchestrator } from './orchestrator.ts';

const { config, files, notes } = loadOrExit({
  name: 'astara-orchestrator',
  does: 'is the L3 and DHCP agent of this host, and keeps its service instances as Neutron wants them',
  version: '0.1.0',
  sections: orchestratorSections,
  foreign: foreignToOrchestrator,
  check: checkOrchestrator,
});

const log = createLogger(config.DEFAULT.debug ? 'debug' : config.DEFAULT.log_level);
log.debug({ files, notes }, 'configuration read');

try {
  const orchestrator = await startOrchestrator(config, log);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(orchestrator, signal));
} catch (error) {
  failToStart(error);
}

/** The data plane is not touched: it runs on without us. */
async function stop(orchestrator: Orchestrator, signal: string): Promise<void> {
  log.info({ signal }, 'stopping');
  await orchestrator.stop();
  process.exit(0);
}
