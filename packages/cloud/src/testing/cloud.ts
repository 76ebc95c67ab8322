import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServiceMessaging } from '@astara/messaging/contract.ts';
import pino from 'pino';
import { type Cloud, type CloudOptions, startCloud } from '../cloud.ts';

/** One of whatever was asked for, as far as tests look at it. */
export interface Item {
  readonly id: string;
  readonly name: string;
  readonly revision_number: number;
}

export interface TokenBody {
  readonly user: Item;
  readonly project: Item;
  readonly roles: readonly Item[];
  readonly expires_at: string;
  readonly catalog: readonly { readonly type: string; readonly endpoints: readonly { readonly url: string }[] }[];
}

/** What bodies of answers hold: each some of it. */
export interface AnswerBody {
  readonly networks: readonly Item[];
  readonly networks_links: readonly { readonly rel: string; readonly href: string }[] | undefined;
  readonly ports: readonly Item[];
  readonly agents: readonly Item[];
  readonly roles: readonly Item[];
  readonly tags: readonly string[];
  readonly token: TokenBody;
  readonly project: Item;
  readonly user: Item;
  readonly application_credential: Item & { readonly secret: string };
  readonly error: { readonly code: number; readonly title: string };
  readonly NeutronError: { readonly type: string; readonly message: string };
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: AnswerBody;
}

/** The cloud's own options, where the test wants others. */
export interface TestCloudOptions extends Partial<CloudOptions> {
  readonly messaging?: ServiceMessaging;
}

/** A cloud of its own, with the users admin, demo and other, whose passwords are `secret`. */
export class TestCloud {
  readonly cloud: Cloud;
  readonly dir: string;
  readonly #tokens = new Map<string, string>();

  private constructor(cloud: Cloud, dir: string) {
    this.cloud = cloud;
    this.dir = dir;
  }

  static async start({ messaging, ...given }: TestCloudOptions = {}): Promise<TestCloud> {
    const account = (name: string, role: string) => ({ user: name, password: 'secret', project: name, role });
    const cloud = await startCloud(
      {
        bindHost: '127.0.0.1',
        bindPort: 0,
        host: 'cloud1',
        accounts: [account('admin', 'admin'), account('demo', 'member'), account('other', 'member')],
        tokenLifetime: 3_600_000,
        plane: { kind: 'simulated' },
        log: pino({ level: 'silent' }),
        ...given,
      },
      messaging === undefined ? {} : { messaging },
    );
    return new TestCloud(cloud, mkdtempSync(join(tmpdir(), 'cloud-')));
  }

  async stop(): Promise<void> {
    await this.cloud.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }

  async token(user: string): Promise<string> {
    const known = this.#tokens.get(user);
    if (known !== undefined) return known;
    const { headers } = await this.send('POST', '/identity/v3/auth/tokens', passwordAuth(user, 'secret', user));
    const token = headers.get('x-subject-token') ?? '';
    this.#tokens.set(user, token);
    return token;
  }

  /** As admin, below `/v2.0/`, unless told otherwise. */
  async ask(method: string, path: string, body?: unknown, user = 'admin', headers: object = {}): Promise<Reply> {
    return this.send(method, `/v2.0/${path}`, body, { 'x-auth-token': await this.token(user), ...headers });
  }

  /** Text is sent as it is. */
  async send(method: string, path: string, body?: unknown, headers: object = {}): Promise<Reply> {
    const response = await fetch(`${this.cloud.url}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
  }

  async make(path: string, singular: string, given: object, user = 'admin'): Promise<Item> {
    const { status, body } = await this.ask('POST', path, { [singular]: given }, user);
    if (status !== 201) throw new Error(`POST ${path}: ${status} ${JSON.stringify(body)}`);
    return (body as unknown as Readonly<Record<string, Item>>)[singular] ?? missing(singular);
  }
}

function missing(what: string): never {
  throw new Error(`there is no ${what} in the answer`);
}

export function passwordAuth(user: string, password: string, project?: string): object {
  const domain = { name: 'Default' };
  return {
    auth: {
      identity: { methods: ['password'], password: { user: { name: user, password, domain } } },
      ...(project === undefined ? {} : { scope: { project: { name: project, domain } } }),
    },
  };
}
