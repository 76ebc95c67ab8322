import type { Catalog } from './catalog.ts';
import type { Cloud, Identity, Scope, User } from './cloud.ts';
import { OpenStackError } from './errors.ts';
import { type Attempt, isTimeout, withRetries } from './retry.ts';
import { type Answer, errorCode, isTlsFailure, reasonOf, type Transport } from './transport.ts';

/** A scoped token and what came with it. */
export interface Token {
  readonly id: string;
  /** Milliseconds from when it was issued to when it expires. By the local clock: Keystone's may be wrong. */
  readonly lifetime: number;
  /** Local time of its arrival, milliseconds since the epoch. */
  readonly received: number;
  readonly catalog: Catalog;
  readonly projectId: string | null;
  readonly userId: string;
  readonly roles: readonly string[];
}

/** Asks Keystone for a token (v3, `POST /v3/auth/tokens`), again and again until the deadline if Keystone is away. */
export function issueToken(
  cloud: Cloud,
  transport: Transport,
  deadline: AbortSignal,
  onFailure?: (error: Error) => void,
): Promise<Token> {
  const url = `${cloud.authUrl}/v3/auth/tokens`;
  const body = JSON.stringify({
    auth: {
      identity: identityBody(cloud.identity),
      ...(cloud.scope === 'own' ? {} : { scope: scopeBody(cloud.scope) }),
    },
  });
  const headers = { 'content-type': 'application/json', accept: 'application/json' };
  return withRetries<Token>(
    async (signal) => {
      let answer: Answer;
      try {
        answer = await transport.send({ method: 'POST', url, headers, body, signal });
      } catch (cause) {
        return unanswered(cloud, url, signal, cause);
      }
      if (answer.status === 201 || answer.status === 200) return { value: parseToken(cloud, url, answer) };
      return refused(cloud, url, answer);
    },
    deadline,
    onFailure,
  );
}

function unanswered(cloud: Cloud, url: string, signal: AbortSignal, cause: unknown): Attempt<never> {
  if (signal.aborted && !isTimeout(signal)) throw signal.reason;
  if (isTlsFailure(cause)) {
    const params = { url, reason: reasonOf(cause), option: cloud.nameOf('cacert') };
    return { error: new OpenStackError('OPENSTACK_TLS', params, { cause }), again: false };
  }
  const reason = signal.aborted ? 'no answer in time' : reasonOf(cause) || errorCode(cause);
  const params = { url, reason, option: cloud.nameOf('auth_url') };
  return { error: new OpenStackError('OPENSTACK_KEYSTONE_UNREACHABLE', params, { cause }), again: !signal.aborted };
}

function refused(cloud: Cloud, url: string, answer: Answer): Attempt<never> {
  const { status } = answer;
  const context = { httpStatus: status, requestId: answer.header('x-openstack-request-id') };
  if (status === 401) {
    const options = relevant(cloud).map((parameter) => cloud.nameOf(parameter));
    const params = { url, who: describe(cloud), options: listed(options) };
    return { error: new OpenStackError('OPENSTACK_AUTH_REFUSED', params, context), again: false };
  }
  if (status === 404 || status === 405 || (status >= 300 && status < 400)) {
    const params = { url, status, option: cloud.nameOf('auth_url') };
    return { error: new OpenStackError('OPENSTACK_KEYSTONE_WRONG_URL', params, context), again: false };
  }
  const params = { url, status, reason: keystoneReason(answer.text) };
  const error = new OpenStackError('OPENSTACK_KEYSTONE_FAILED', params, context);
  return { error, again: status === 429 || status >= 500 };
}

function parseToken(cloud: Cloud, url: string, answer: Answer): Token {
  const id = answer.header('x-subject-token');
  const token = (parseJson(answer.text) as { token?: TokenBody } | undefined)?.token;
  const expires = Date.parse(token?.expires_at ?? '');
  if (id === undefined || token === undefined || Number.isNaN(expires)) {
    const params = { url, status: answer.status, option: cloud.nameOf('auth_url') };
    throw new OpenStackError('OPENSTACK_KEYSTONE_WRONG_URL', params);
  }
  const received = Date.now();
  const issued = Date.parse(token.issued_at ?? '');
  return {
    id,
    received,
    lifetime: expires - (Number.isNaN(issued) ? received : issued),
    catalog: token.catalog ?? [],
    projectId: token.project?.id ?? null,
    userId: token.user?.id ?? '',
    roles: token.roles?.map(({ name }) => name) ?? [],
  };
}

interface TokenBody {
  readonly expires_at?: string;
  readonly issued_at?: string;
  readonly catalog?: Catalog;
  readonly project?: { readonly id: string };
  readonly user?: { readonly id: string };
  readonly roles?: readonly { readonly name: string }[];
}

function identityBody(identity: Identity): object {
  switch (identity.method) {
    case 'password':
      return { methods: ['password'], password: { user: { ...identity.user, password: identity.password } } };
    case 'token':
      return { methods: ['token'], token: { id: identity.token } };
    case 'application_credential': {
      const { method, ...credential } = identity;
      return { methods: [method], application_credential: credential };
    }
  }
}

function scopeBody(scope: Exclude<Scope, 'own'>): object {
  return 'system' in scope ? { system: { all: true } } : scope;
}

/** Who was refused, without any secret. */
function describe({ identity, scope }: Cloud): string {
  const who =
    identity.method === 'token'
      ? 'the token'
      : identity.method === 'password'
        ? `the user ${userName(identity.user)}`
        : `the application credential ${'id' in identity ? identity.id : identity.name}`;
  if (scope === 'own' || !('project' in scope)) return who;
  return `${who} with the project ${'id' in scope.project ? scope.project.id : scope.project.name}`;
}

function userName(user: User): string {
  return 'id' in user ? user.id : `${user.name} of the domain ${user.domain.name ?? user.domain.id}`;
}

/** Parameters that may be wrong when Keystone refuses. */
function relevant({ identity, scope }: Cloud): string[] {
  if (identity.method === 'token') return ['token'];
  if (identity.method === 'application_credential') {
    return [
      'id' in identity ? 'application_credential_id' : 'application_credential_name',
      'application_credential_secret',
    ];
  }
  const user = 'id' in identity.user ? ['user_id', 'password'] : ['username', 'password', 'user_domain_name'];
  return scope !== 'own' && 'project' in scope
    ? [...user, 'id' in scope.project ? 'project_id' : 'project_name']
    : user;
}

function keystoneReason(text: string): string {
  const message = (parseJson(text) as { error?: { message?: unknown } } | undefined)?.error?.message;
  return typeof message === 'string' ? message.slice(0, 300) : 'no reason given';
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON at all: for the caller that is the same as JSON without what it looks for.
    return undefined;
  }
}
