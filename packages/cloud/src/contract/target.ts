import type { Messaging } from '@astara/messaging/contract.ts';

/** What the contract is held against: a real OpenStack, or the cloud. */
export interface Target {
  /** Without a slash at the end; `/v3/…` and `/v2.0/…` follow. */
  readonly identityUrl: string;
  readonly networkUrl: string;
  /** An administrator, in the domain Default. */
  readonly admin: { readonly user: string; readonly password: string; readonly project: string };
  /** Where Neutron's agents and listeners connect to. */
  readonly messaging: Messaging;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** undefined: there was none. Text that is no JSON is given as text. */
  readonly body: unknown;
}

/** Milliseconds. */
const patience = 60_000;

export async function send(
  url: string,
  method: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const content = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
  const answer = await fetch(url, {
    method,
    headers: { accept: 'application/json', ...(content && { 'content-type': 'application/json' }), ...headers },
    ...(content === undefined ? {} : { body: content }),
    signal: AbortSignal.timeout(patience),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: text === '' ? undefined : parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The answer's body, of a request that must go well. */
export async function demand(
  url: string,
  method: string,
  token: string,
  body?: unknown,
): Promise<Readonly<Record<string, unknown>>> {
  const answer = await send(url, method, body, { 'x-auth-token': token });
  if (answer.status >= 300) {
    throw new Error(`${method} ${url}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }
  return (answer.body ?? {}) as Readonly<Record<string, unknown>>;
}

export interface Credentials {
  readonly user: string;
  readonly password: string;
  readonly project: string;
}

export async function login(identityUrl: string, { user, password, project }: Credentials): Promise<string> {
  const domain = { id: 'default' };
  const answer = await send(`${identityUrl}/v3/auth/tokens`, 'POST', {
    auth: {
      identity: { methods: ['password'], password: { user: { name: user, domain, password } } },
      scope: { project: { name: project, domain } },
    },
  });
  const token = answer.headers.get('x-subject-token');
  if (answer.status !== 201 || token === null) throw new Error(`login of ${user} at ${identityUrl}: ${answer.status}`);
  return token;
}
