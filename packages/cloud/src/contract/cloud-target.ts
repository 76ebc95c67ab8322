import { LocalBus } from '@astara/messaging/local/bus.ts';
import { pino } from 'pino';
import { startCloud } from '../cloud.ts';
import type { Target } from './target.ts';

/** A cloud of our own, in this process. */
export async function startTarget(): Promise<{ target: Target; stop: () => Promise<void> }> {
  const bus = new LocalBus();
  const server = bus.connect('cloud');
  const messaging = bus.connect('contract');
  const admin = { user: 'admin', password: 'secret', project: 'admin' };
  const cloud = await startCloud(
    {
      bindHost: '127.0.0.1',
      bindPort: 0,
      host: 'cloud1',
      accounts: [{ ...admin, role: 'admin' }],
      tokenLifetime: 3_600_000,
      plane: { kind: 'simulated' },
      log: pino({ level: 'silent' }),
    },
    { messaging: server },
  );
  return {
    target: { identityUrl: `${cloud.url}/identity`, networkUrl: cloud.url, admin, messaging },
    stop: async () => {
      await cloud.stop();
      await messaging.close();
      await server.close();
    },
  };
}
