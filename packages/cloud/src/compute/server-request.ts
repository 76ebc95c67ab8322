import { isObject } from '../api/parse.ts';
import { badRequest } from './fault.ts';

export interface NetworkRequest {
  /** One of the two. */
  readonly uuid?: string;
  readonly port?: string;
  readonly fixedIp?: string;
}

/** What `POST /servers` asks for, as far as it is understood. */
export interface ServerRequest {
  readonly name: string;
  readonly flavor: string;
  readonly image: string;
  /** Undefined: the network that is at hand. */
  readonly networks: readonly NetworkRequest[] | undefined;
  /** Names or ids; undefined: the project's default. */
  readonly securityGroups: readonly string[] | undefined;
  readonly userData: string | null;
  readonly keyName: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly count: number;
}

type Fields = Readonly<Record<string, unknown>>;

/** Throws Nova's 400 with the name of the field. */
export function parseServer(body: unknown): ServerRequest {
  const server = isObject(body) ? body.server : undefined;
  if (!isObject(server))
    throw badRequest(`Invalid input for field/attribute server. Value: ${server}. 'server' is a required property`);
  const name = required(server, 'name').trim();
  if (name === '' || name.length > 255) throw invalid('name', server.name, 'is too short or too long');
  return {
    name,
    flavor: lastOf(required(server, 'flavorRef')),
    image: lastOf(text(server, 'imageRef') ?? ''),
    networks: server.networks === undefined ? undefined : networksOf(server.networks),
    securityGroups: namesOf(server.security_groups),
    userData: text(server, 'user_data') ?? null,
    keyName: text(server, 'key_name') ?? null,
    metadata: stringsOf(server.metadata ?? {}),
    count: countOf(server),
  };
}

function networksOf(value: unknown): NetworkRequest[] {
  // From microversion 2.37 on; 2.1 has lists only.
  if (!Array.isArray(value)) throw invalid('networks', value, 'is not of type array');
  return value.map((item: unknown) => {
    if (!isObject(item)) throw invalid('networks', item, 'is not of type object');
    const [uuid, port, fixedIp] = [text(item, 'uuid'), text(item, 'port'), text(item, 'fixed_ip')];
    if (uuid === undefined && port === undefined)
      throw badRequest('Bad networks format: network uuid is not in proper format (None)');
    return {
      ...(port === undefined ? { uuid: uuid ?? '' } : { port }),
      ...(fixedIp === undefined ? {} : { fixedIp }),
    };
  });
}

function namesOf(value: unknown): string[] | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw invalid('security_groups', value, 'is not of type array');
  return value.map((item: unknown) => {
    if (!isObject(item)) throw invalid('security_groups', item, 'is not of type object');
    return required(item, 'name');
  });
}

/** Also for the metadata that is set later. */
export function stringsOf(value: unknown): Record<string, string> {
  if (!isObject(value)) throw invalid('metadata', value, 'is not of type object');
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      if (typeof item !== 'string') throw invalid(key, item, 'is not of type string');
      return [key, item];
    }),
  );
}

function countOf(server: Fields): number {
  const count = Number(server.min_count ?? server.max_count ?? 1);
  const most = Number(server.max_count ?? count);
  if (!Number.isInteger(count) || count < 1) throw invalid('min_count', server.min_count, 'is not a positive integer');
  if (!Number.isInteger(most) || most < count) throw badRequest('min_count must be <= max_count');
  return most;
}

function required(fields: Fields, name: string): string {
  const value = text(fields, name);
  if (value === undefined)
    throw badRequest(`Invalid input for field/attribute server. '${name}' is a required property`);
  return value;
}

function text(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string') throw invalid(name, value, "is not of type 'string'");
  return value;
}

/** References may be URLs. */
const lastOf = (reference: string) => reference.split('/').at(-1) ?? '';

function invalid(name: string, value: unknown, reason: string) {
  return badRequest(
    `Invalid input for field/attribute ${name}. Value: ${JSON.stringify(value)}. ${JSON.stringify(value)} ${reason}`,
  );
}
