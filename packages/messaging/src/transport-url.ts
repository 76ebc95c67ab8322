import { errors } from './errors.ts';

export interface Broker {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** `host:port`. */
export function placeOf({ host, port }: Broker): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

export interface TransportUrl {
  /** At least one, in the order written. */
  readonly brokers: readonly [Broker, ...Broker[]];
  readonly vhost: string;
}

const schemes = new Set(['rabbit', 'kombu+rabbit', 'amqp']);

/**
 * Reads oslo.messaging's `rabbit://[user:password@]host[:port][,[user:password@]host2[:port]…]/[vhost]`.
 * User, password and vhost are percent-decoded. A broker without credentials takes those of the one before.
 * @throws MESSAGING_BAD_TRANSPORT_URL; its text never holds the password.
 */
export function parseTransportUrl(url: string): TransportUrl {
  const match = /^([a-z+]+):\/\/([^/]*)(?:\/([^?]*))?(?:\?.*)?$/.exec(url);
  if (!match) throw bad('it is not of the form rabbit://user:password@host:port/vhost');
  const [, scheme = '', netloc = '', path = ''] = match;
  if (!schemes.has(scheme)) throw bad(`the transport "${scheme}" is not supported, only "rabbit" is`);

  const brokers: Broker[] = [];
  let user = 'guest';
  let password = 'guest';
  for (const part of netloc.split(',')) {
    const at = part.lastIndexOf('@');
    if (at >= 0) {
      const colon = part.slice(0, at).indexOf(':');
      user = decode(part.slice(0, colon < 0 ? at : colon), 'the user');
      password = colon < 0 ? '' : decode(part.slice(colon + 1, at), 'the password');
    }
    brokers.push({ ...hostAndPort(part.slice(at + 1)), user, password });
  }
  const [first, ...others] = brokers;
  if (!first) throw bad('no host is given');
  return { brokers: [first, ...others], vhost: decode(path, 'the virtual host') || '/' };
}

function hostAndPort(text: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:@[\]\s]+))(?::(\d+))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  if (!host) throw bad('a host is missing or wrong (IPv6 addresses go in brackets)');
  const port = match?.[3] === undefined ? 5672 : Number(match[3]);
  if (port < 1 || port > 65_535) throw bad(`port ${port} of ${host} is not between 1 and 65535`);
  return { host, port };
}

function decode(text: string, what: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw bad(`${what} has a % that is not followed by two hexadecimal digits`);
  }
}

function bad(problem: string) {
  return errors.make('MESSAGING_BAD_TRANSPORT_URL', { problem });
}
