import { parseArguments } from '@astara/config/arguments.ts';
import { ConfigError } from '@astara/config/errors.ts';
import { loadConfig } from '@astara/config/load.ts';
import { applyMutable } from '@astara/config/reload.ts';
import { failToStart, loadOrExit } from '@astara/config/start.ts';
import { openKernel } from '@astara/kernel/open.ts';
import type { Logger } from 'pino';
import { type Agent, startAgent } from './agent.ts';
import { groupId } from './api/unix-socket.ts';
import { checkHost } from './checks.ts';
import { createLogger } from './logger.ts';
import { createMetrics } from './metrics.ts';
import { type AgentConfig, agentSections, foreignToAgent } from './options.ts';

const program = {
  name: 'astara-agent',
  does: 'makes and keeps the service instances of this host',
  version: '0.1.0',
  sections: agentSections,
  foreign: foreignToAgent,
};

const { config, files, notes } = loadOrExit(program);
const log = createLogger(levelOf(config));
log.debug({ files, notes }, 'configuration read');

try {
  const agent = await start(config, log);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(agent, signal));
  process.on('SIGHUP', reload);
} catch (error) {
  failToStart(error);
}

async function start({ DEFAULT, agent }: AgentConfig, logger: Logger): Promise<Agent> {
  const [first, ...rest] = checkHost();
  if (first !== undefined) throw new ConfigError([first, ...rest]);
  const gid = agent.socket_group === null ? 0 : await groupId('[agent] socket_group', agent.socket_group);
  const kernel = await openKernel(agent.kernel, (reason) =>
    logger.warn({ err: reason }, 'kernel by the programs of iproute2: slower than netlink'),
  );
  return startAgent({
    runDir: DEFAULT.run_dir,
    socket: agent.socket,
    gid,
    ovs: { bridge: agent.ovs_bridge, db: agent.ovs_db },
    kernel,
    metrics: createMetrics(),
    log: logger,
  });
}

/** SIGHUP: what may change while we run is the log level. */
function reload(): void {
  try {
    const { sources } = parseArguments(process.argv.slice(2));
    const {
      config: now,
      changed,
      needsRestart,
    } = applyMutable(agentSections, config, loadConfig(program, sources).config);
    log.level = levelOf(now);
    log.info({ changed, needsRestart }, 'configuration read again');
  } catch (error) {
    log.error({ err: error }, 'the configuration is not valid, the old one stays in force');
  }
}

function levelOf({ DEFAULT }: AgentConfig): string {
  return DEFAULT.debug ? 'debug' : DEFAULT.log_level;
}

/** Instances and daemons run on: whoever starts next adopts them. */
async function stop(agent: Agent, signal: string): Promise<void> {
  log.info({ signal }, 'stopping; the instances run on');
  await agent.stop();
  process.exit(0);
}
