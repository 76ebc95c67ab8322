import type { Handler } from '@astara/messaging/contract.ts';
import { Fault } from '../api/fault.ts';

/** A Fault reaches the agent as the exception that it is in Neutron: oslo.messaging tells it the class by the error's name. */
export function withFaults(handlers: Readonly<Record<string, Handler>>): Record<string, Handler> {
  return Object.fromEntries(
    Object.entries(handlers).map(([method, handler]) => [
      method,
      (message) => {
        try {
          return handler(message);
        } catch (error) {
          if (!(error instanceof Fault)) throw error;
          throw Object.assign(new Error(error.message, { cause: error }), { name: error.type });
        }
      },
    ]),
  );
}
