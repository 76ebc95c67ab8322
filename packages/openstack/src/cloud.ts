import { OpenStackError } from './errors.ts';

/** Which OpenStack, and as whom: everything a {@link Session} needs. Made by `find-cloud.ts`. */
export interface Cloud {
  /** Where this was set, for messages: `[keystone]`, `cloud lab of /etc/openstack/clouds.yaml`, `the environment`. */
  readonly source: string;
  /** How the operator names a parameter there: `[keystone] password`, `OS_PASSWORD`. */
  readonly nameOf: (parameter: string) => string;
  /** Without `/v3`. */
  readonly authUrl: string;
  readonly identity: Identity;
  readonly scope: Scope;
  /** Null: the only one of the catalog. */
  readonly region: string | null;
  readonly interface: Interface;
  /** Service type → URL. */
  readonly endpointOverrides: Readonly<Record<string, string>>;
  readonly cafile: string | null;
  readonly insecure: boolean;
}

export const interfaces = ['internal', 'public', 'admin'] as const;
export type Interface = (typeof interfaces)[number];

export interface Domain {
  readonly id?: string;
  readonly name?: string;
}

export type Identity =
  | { readonly method: 'password'; readonly user: User; readonly password: string }
  | { readonly method: 'application_credential'; readonly id: string; readonly secret: string }
  | {
      readonly method: 'application_credential';
      readonly name: string;
      readonly user: User;
      readonly secret: string;
    }
  | { readonly method: 'token'; readonly token: string };

export type User = { readonly id: string } | { readonly name: string; readonly domain: Domain };

export type Scope =
  | { readonly project: { readonly id: string } | { readonly name: string; readonly domain: Domain } }
  | { readonly domain: Domain }
  | { readonly system: true }
  /** What the credential brings along. */
  | 'own';

/** Parameters under the names of clouds.yaml's `auth`, and those beside it. Empty text counts as unset. */
export type Parameters = Readonly<Record<string, string | undefined>>;

/** Parameters → Cloud. Says which one is missing, by the name it has where it must be set. */
export function compileCloud(parameters: Parameters, source: string, nameOf: Cloud['nameOf']): Cloud {
  const get = (...names: string[]) => names.map((name) => parameters[name]).find((value) => value) ?? null;
  const need = (needed: string, ...names: [string, ...string[]]) => {
    const value = get(...names);
    if (value !== null) return value;
    throw new OpenStackError('OPENSTACK_AUTH_INCOMPLETE', { parameter: nameOf(names[0]), source, needed });
  };
  const invalid = (parameter: string, problem: string, accepted: string) =>
    new OpenStackError('OPENSTACK_AUTH_INVALID', { parameter: nameOf(parameter), problem, accepted });

  const domainOf = (whose: string): Domain => {
    const id = get(`${whose}_domain_id`) ?? (get(`${whose}_domain_name`) === null ? get('default_domain_id') : null);
    const name = get(`${whose}_domain_name`) ?? get('default_domain_name', 'default_domain');
    return id !== null ? { id } : name !== null ? { name } : { id: 'default' };
  };
  const user = (): User => {
    const id = get('user_id');
    return id !== null
      ? { id }
      : { name: need('the name of a user', 'username', 'user_name'), domain: domainOf('user') };
  };
  const identity = (): Identity => {
    const type = get('auth_type') ?? guessType();
    switch (type.replace(/^v3/, '')) {
      case 'password':
        return { method: 'password', user: user(), password: need("the user's password", 'password') };
      case 'applicationcredential': {
        const id = get('application_credential_id');
        const secret = need('its secret', 'application_credential_secret');
        if (id !== null) return { method: 'application_credential', id, secret };
        const name = need(
          'the id of an application credential',
          'application_credential_id',
          'application_credential_name',
        );
        return { method: 'application_credential', name, user: user(), secret };
      }
      case 'token':
        return { method: 'token', token: need('a token', 'token', 'auth_token') };
      default:
        throw invalid('auth_type', `is ${JSON.stringify(type)}`, 'password, v3applicationcredential or token');
    }
  };
  const guessType = () =>
    get('application_credential_id', 'application_credential_name', 'application_credential_secret') !== null
      ? 'v3applicationcredential'
      : get('password', 'username', 'user_id') === null && get('token') !== null
        ? 'token'
        : 'password';
  const scope = (method: Identity['method']): Scope => {
    if (method === 'application_credential') return 'own';
    const id = get('project_id', 'tenant_id');
    if (id !== null) return { project: { id } };
    const name = get('project_name', 'tenant_name');
    if (name !== null) return { project: { name, domain: domainOf('project') } };
    if (get('system_scope') !== null) return { system: true };
    const domain = { id: get('domain_id'), name: get('domain_name') };
    if (domain.id !== null) return { domain: { id: domain.id } };
    if (domain.name !== null) return { domain: { name: domain.name } };
    throw new OpenStackError('OPENSTACK_AUTH_INCOMPLETE', {
      parameter: nameOf('project_name'),
      source,
      needed: 'the name of the project to work in',
    });
  };
  const side = (get('interface', 'endpoint_type') ?? 'public').replace(/URL$/, '');
  const chosen = interfaces.find((candidate) => candidate === side);
  if (chosen === undefined) throw invalid('interface', `is ${JSON.stringify(side)}`, interfaces.join(', '));
  const url = need('the URL of Keystone', 'auth_url');
  if (!isHttpUrl(url))
    throw invalid(
      'auth_url',
      'is no URL, or holds a password',
      'the URL of Keystone, http:// or https://, without user and password',
    );

  const whoami = identity();
  return {
    source,
    nameOf,
    authUrl: url.replace(/\/+$/, '').replace(/\/v(2\.0|3)$/, ''),
    identity: whoami,
    scope: scope(whoami.method),
    region: get('region_name'),
    interface: chosen,
    endpointOverrides: overrides(parameters),
    cafile: get('cacert', 'cafile'),
    insecure: /^(true|1|yes|on)$/i.test(get('insecure') ?? '') || /^(false|0|no|off)$/i.test(get('verify') ?? ''),
  };
}

/** `network_endpoint_override` → `network`; `load_balancer_endpoint_override` → `load-balancer`. */
function overrides(parameters: Parameters): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(parameters)) {
    const service = /^(\w+)_endpoint_override$/.exec(name)?.[1];
    if (service !== undefined && value) result[service.replaceAll('_', '-')] = value.replace(/\/+$/, '');
  }
  return result;
}

function isHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}
