/**
 * The contract: what the cloud owes to whoever speaks to it as to Neutron and Keystone, as requests and what they answer.
 * Scenarios are data. A runner performs them on a target and writes a transcript; the transcript of the real Neutron is the
 * expectation. Nothing of Astara may enter this folder.
 */

/** Who asks: projects and users of the run's own; `nobody` has no token, `forger` one that is none. */
export type Who = 'admin' | 'member' | 'stranger' | 'nobody' | 'forger';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * A request of HTTP. `{name}` in path, body and headers stands for what an earlier step saved under that name, or for one of
 * the run's own: `{member.project}`, `{l3.agent}`, `{nothing}` (a UUID of nothing), ….
 */
export interface Request {
  readonly as: Who;
  readonly service: 'network' | 'identity';
  readonly method: string;
  readonly path: string;
  /** A string is sent as it is. */
  readonly body?: Json;
  readonly headers?: Readonly<Record<string, string>>;
  /** What later steps refer to: name → path in the answer, e.g. `port.fixed_ips.0.ip_address`. */
  readonly save?: Readonly<Record<string, string>>;
}

/** What an agent asks the server by RPC. */
export interface Call {
  readonly topic: 'q-l3-plugin' | 'q-plugin' | 'q-reports-plugin';
  readonly version: string;
  readonly call: string;
  readonly args: Json;
  readonly save?: Readonly<Record<string, string>>;
}

export type Step = Request | Call;

export interface Scenario {
  readonly name: string;
  readonly steps: readonly Step[];
}

export function scenario(name: string, ...steps: readonly (Step | readonly Step[])[]): Scenario {
  return { name, steps: steps.flat() };
}

/** The step as it is found in transcripts. */
export function titleOf(step: Step): string {
  if ('call' in step) return `${step.topic} ${step.call} ${brief(step.args)}`;
  const body = step.body === undefined ? '' : ` ${brief(step.body)}`;
  return `${step.as} ${step.method} ${step.path}${body}`;
}

const brief = (value: Json) => (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 160);

type Attributes = Readonly<Record<string, Json>>;
type Saved = Readonly<Record<string, string>>;

const plurals: Readonly<Record<string, string>> = {
  network: 'networks',
  subnet: 'subnets',
  port: 'ports',
  router: 'routers',
  floatingip: 'floatingips',
  security_group: 'security-groups',
  security_group_rule: 'security-group-rules',
  agent: 'agents',
};

export const pathOf = (kind: string) => `/v2.0/${plurals[kind] ?? kind}`;

export function request(as: Who, method: string, path: string, body?: Json, more: Partial<Request> = {}): Request {
  return { as, service: 'network', method, path, ...(body === undefined ? {} : { body }), ...more };
}

/** Requests to Neutron as somebody. */
export function by(as: Who) {
  return {
    /** `name`: under which the new object's id is saved; empty: it is not. */
    create: (kind: string, name: string, attributes: Attributes, save: Saved = {}): Request =>
      request(as, 'POST', pathOf(kind), { [kind]: attributes }, named(kind, name, save)),
    update: (kind: string, name: string, attributes: Attributes, headers?: Readonly<Record<string, string>>): Request =>
      request(as, 'PUT', `${pathOf(kind)}/{${name}}`, { [kind]: attributes }, headers === undefined ? {} : { headers }),
    show: (kind: string, name: string, query = ''): Request => request(as, 'GET', `${pathOf(kind)}/{${name}}${query}`),
    remove: (kind: string, name: string, headers?: Readonly<Record<string, string>>): Request =>
      request(as, 'DELETE', `${pathOf(kind)}/{${name}}`, undefined, headers === undefined ? {} : { headers }),
    list: (kind: string, query = ''): Request => request(as, 'GET', `${pathOf(kind)}${query}`),
    get: (path: string, save?: Saved): Request =>
      request(as, 'GET', `/v2.0/${path}`, undefined, save === undefined ? {} : { save }),
    put: (path: string, body?: Json, save?: Saved): Request =>
      request(as, 'PUT', `/v2.0/${path}`, body, save === undefined ? {} : { save }),
    post: (path: string, body: Json, save?: Saved): Request =>
      request(as, 'POST', `/v2.0/${path}`, body, save === undefined ? {} : { save }),
    del: (path: string): Request => request(as, 'DELETE', `/v2.0/${path}`),
  };
}

function named(kind: string, name: string, save: Saved): Partial<Request> {
  const saved = name === '' ? save : { [name]: `${kind}.id`, ...save };
  return Object.keys(saved).length === 0 ? {} : { save: saved };
}

export function call(topic: Call['topic'], method: string, version: string, args: Attributes, save?: Saved): Call {
  return { topic, call: method, version, args, ...(save === undefined ? {} : { save }) };
}
