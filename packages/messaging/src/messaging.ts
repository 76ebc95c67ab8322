import { compileOptions, type MessagingOptions } from './options.ts';
import { OsloMessaging } from './oslo-messaging.ts';
import { RabbitSession } from './rabbit-session.ts';

export type RabbitMessaging = OsloMessaging;

/**
 * Returns at once and connects in the background, for ever: a broker that is down is waited for.
 * `await messaging.ready(signal)` to know.
 * @throws MESSAGING_BAD_OPTION, MESSAGING_BAD_TRANSPORT_URL
 */
export function connectMessaging(options: MessagingOptions): RabbitMessaging {
  const compiled = compileOptions(options);
  return new OsloMessaging(compiled, (broker, signal) => RabbitSession.open(compiled, broker, signal));
}
