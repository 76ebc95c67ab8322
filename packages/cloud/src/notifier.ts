import type { RequestContext, ServiceMessaging } from '@astara/messaging/contract.ts';
import type { Logger } from 'pino';
import type { Publish } from './api/requests.ts';
import type { Caller } from './api/resource.ts';

/** Publishes notifications one behind the other, so that they keep their order. Nobody waits for it. */
export class Notifier {
  readonly #messaging: ServiceMessaging;
  readonly #host: string;
  readonly #log: Logger;
  #last: Promise<void> = Promise.resolve();

  constructor(messaging: ServiceMessaging, host: string, log: Logger) {
    this.#messaging = messaging;
    this.#host = host;
    this.#log = log;
  }

  readonly publish: Publish = (eventType, payload, caller) => {
    const publisherId = `${serviceOf(eventType)}.${this.#host}`;
    const notification = { eventType, publisherId, payload, context: contextOf(caller) };
    this.#last = this.#last
      .then(() => this.#messaging.notify(notification))
      .catch((error: unknown) => this.#log.error({ err: error, eventType }, 'a notification was not published'));
  };

  /** Resolves when all are out. */
  async idle(): Promise<void> {
    await this.#last;
  }
}

/** Neutron tells of the scheduling of routers under another name than of all else. */
const serviceOf = (eventType: string) => (eventType.startsWith('l3_agent.') ? 'router' : 'network');

function contextOf(caller: Caller): RequestContext {
  return {
    requestId: caller.requestId,
    timestamp: caller.timestamp,
    projectId: caller.projectId,
    userId: caller.userId,
    ...(caller.userName === undefined ? {} : { userName: caller.userName }),
    ...(caller.roles === undefined ? {} : { roles: caller.roles }),
    isAdmin: caller.isAdmin,
  };
}
