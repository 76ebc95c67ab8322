import { ConfigError } from '@astara/config/errors.ts';
import { runProgram } from '@astara/config/run-program.ts';
import { openKernel } from '@astara/kernel/open.ts';
import type { Logger } from 'pino';
import { type Agent, startAgent } from './agent.ts';
import { groupId } from './api/unix-socket.ts';
import { checkHost } from './checks.ts';
import { createMetrics } from './metrics.ts';
import { type AgentConfig, agentSections, foreignToAgent } from './options.ts';

await runProgram(
  {
    name: 'astara-agent',
    does: 'makes and keeps the service instances of this host',
    version: '0.1.0',
    sections: agentSections,
    foreign: foreignToAgent,
  },
  start,
);

async function start({ DEFAULT, agent }: AgentConfig, log: Logger): Promise<Agent> {
  const [first, ...rest] = checkHost();
  if (first !== undefined) throw new ConfigError([first, ...rest]);
  const gid = agent.socket_group === null ? 0 : await groupId('[agent] socket_group', agent.socket_group);
  const kernel = await openKernel(agent.kernel, (reason) =>
    log.warn({ err: reason }, 'kernel by the programs of iproute2: slower than netlink'),
  );
  return startAgent({
    runDir: DEFAULT.run_dir,
    socket: agent.socket,
    gid,
    ovs: { bridge: agent.ovs_bridge, db: agent.ovs_db },
    kernel,
    metrics: createMetrics(),
    log,
  });
}
