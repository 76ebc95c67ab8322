import { randomUUID } from 'node:crypto';
import type { Notification, Subscription } from '@astara/messaging/contract.ts';
import type { Target } from './target.ts';

/** What Neutron tells the world, on a queue of our own. */
export class Notifications {
  readonly heard: Notification[] = [];
  readonly queue = `astara-contract-${randomUUID()}`;
  #subscription: Subscription | undefined;

  async start({ messaging }: Target): Promise<void> {
    this.#subscription = await messaging.listen({
      exchange: 'neutron',
      topics: ['notifications.info'],
      queue: this.queue,
      handler: (notification) => void this.heard.push(notification),
    });
  }

  async stop(): Promise<void> {
    await this.#subscription?.close();
  }
}
