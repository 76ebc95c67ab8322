import type { ServiceMessaging } from '../contract.ts';

/** A broker in memory, for programs that run together in one process. */
export class LocalBus {
  connect(name = 'local'): ServiceMessaging {
    throw new Error(`connect(${name}) comes with the next commit`);
  }

  /** As a broker that goes down: connections break, queues are lost. Resolves when all connections know. */
  async disconnect(): Promise<void> {
    throw new Error('comes with the next commit');
  }

  /** Resolves when all connections are back. */
  async reconnect(): Promise<void> {
    throw new Error('comes with the next commit');
  }
}
