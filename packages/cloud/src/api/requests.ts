import { randomUUID } from 'node:crypto';
import type { Store } from '../store/store.ts';
import type { Caller, Context } from './resource.ts';

/** Tells the world what happened: on the message bus, or nowhere. */
export type Publish = (eventType: string, payload: Readonly<Record<string, unknown>>, caller: Caller) => void;

/** Runs requests: each in one transaction, its notifications after it. */
export class Requests {
  readonly store: Store;
  readonly #publish: Publish;

  constructor(store: Store, publish: Publish) {
    this.store = store;
    this.#publish = publish;
  }

  run<T>(caller: Caller, work: (context: Context) => T, parentId?: string): T {
    const told: [string, Readonly<Record<string, unknown>>][] = [];
    const context: Context = {
      store: this.store,
      caller,
      ...(parentId === undefined ? {} : { parentId }),
      notify: (eventType, payload) => void told.push([eventType, payload]),
    };
    const result = this.store.transaction(() => work(context), caller);
    for (const [eventType, payload] of told) this.#publish(eventType, payload, caller);
    return result;
  }

  /** Work that no API request asked for. */
  system<T>(work: (context: Context) => T): T {
    return this.run(systemCaller(), work);
  }

  /** At once, whatever becomes of the request. */
  announce(caller: Caller, eventType: string, payload: Readonly<Record<string, unknown>>): void {
    this.#publish(eventType, payload, caller);
  }
}

export function newRequestId(): string {
  return `req-${randomUUID()}`;
}

function systemCaller(): Caller {
  return { userId: '', projectId: '', isAdmin: true, requestId: newRequestId(), timestamp: Date.now() };
}
