import { setTimeout as sleep } from 'node:timers/promises';
import { connectMessaging, type RabbitMessaging } from '@astara/messaging/messaging.ts';
import type { Logger } from 'pino';
import { checkLogin } from './login.ts';
import type { OrchestratorConfig } from './options.ts';
import type { Orchestrator } from './orchestrator.ts';

/** Milliseconds in which a question leaves for Keystone. Loading modules stops everything else. */
const DEPARTURE = 5;

/**
 * Connects to the broker and loads the rest of the program while Keystone looks at the login; nobody sees anything of us before
 * it is found good. Rejects when it cannot start; then nothing is left running.
 */
export async function start(config: OrchestratorConfig, log: Logger): Promise<Orchestrator> {
  const messaging = connect(config, log);
  try {
    const load = sleep(DEPARTURE).then(() => import('./orchestrator.ts'));
    const [{ startOrchestrator }] = await Promise.all([load, checkLogin(config.keystone)]);
    const orchestrator = await startOrchestrator(config, { messaging }, log);
    return {
      url: orchestrator.url,
      reload: orchestrator.reload,
      async stop() {
        await orchestrator.stop();
        await messaging.close();
      },
    };
  } catch (error) {
    await messaging.close();
    throw error;
  }
}

function connect({ DEFAULT, oslo_messaging_rabbit }: OrchestratorConfig, log: Logger): RabbitMessaging {
  return connectMessaging({
    transportUrl: DEFAULT.transport_url.reveal(),
    exchange: DEFAULT.control_exchange,
    connectionName: `astara-orchestrator:${DEFAULT.host}`,
    rabbit: oslo_messaging_rabbit,
    log,
  });
}
