import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Cloud, compileCloud, type Parameters } from '../cloud.ts';

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** `drop`: the connection is cut. `hang`: no answer ever. */
export type Script = (seen: Seen) => Reply | 'drop' | 'hang' | Promise<Reply | 'drop' | 'hang'>;

/**
 * A server that behaves like Keystone (`/identity/v3/auth/tokens`) and, for everything else, as the test says: for the cases
 * that a real cloud cannot be made to show. The right password is `right`.
 */
export class FakeCloud implements AsyncDisposable {
  /** Milliseconds that tokens live. */
  lifetime = 3_600_000;
  /** What Keystone says before it looks at the request. */
  keystone: Script = () => ({ status: 0 });
  service: Script = () => ({ status: 200, body: {} });
  readonly tokens = new Set<string>();
  readonly issued: Seen[] = [];
  readonly calls: Seen[] = [];
  readonly #server = createServer((request, response) => {
    this.#answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });

  static async start(): Promise<FakeCloud> {
    const cloud = new FakeCloud();
    await new Promise<void>((resolve) => cloud.#server.listen(0, '127.0.0.1', resolve));
    return cloud;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  cloud(parameters: Parameters = {}): Cloud {
    return compileCloud(
      {
        auth_url: `${this.url}/identity/v3`,
        username: 'neutron',
        password: 'right',
        project_name: 'service',
        interface: 'internal',
        ...parameters,
      },
      '[keystone]',
      (name) => `[keystone] ${name}`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const raw = await text(request);
    const seen: Seen = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: raw === '' ? undefined : JSON.parse(raw),
    };
    const isAuth = seen.path === '/identity/v3/auth/tokens';
    (isAuth ? this.issued : this.calls).push(seen);
    const reply = isAuth ? await this.#auth(seen) : await this.#serve(seen);
    if (reply === 'hang') return;
    if (reply === 'drop') {
      request.socket.destroy();
      return;
    }
    response.writeHead(reply.status, { 'x-openstack-request-id': 'req-of-the-service', ...reply.headers });
    response.end(
      reply.body === undefined ? '' : typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body),
    );
  }

  async #auth(seen: Seen): Promise<Reply | 'drop' | 'hang'> {
    const scripted = await this.keystone(seen);
    if (typeof scripted === 'string' || scripted.status !== 0) return scripted;
    if (!JSON.stringify(seen.body).includes('"right"')) {
      return {
        status: 401,
        body: {
          error: { code: 401, title: 'Unauthorized', message: 'The request you have made requires authentication.' },
        },
      };
    }
    const id = randomUUID();
    this.tokens.add(id);
    // A clock that is an hour ahead of ours.
    const now = Date.now() + 3_600_000;
    const endpoint = (side: string, region: string, path: string) => ({
      id: randomUUID(),
      interface: side,
      region,
      region_id: region,
      url: `${this.url}${path}`,
    });
    const token = {
      issued_at: new Date(now).toISOString(),
      expires_at: new Date(now + this.lifetime).toISOString(),
      user: { id: 'user-id' },
      project: { id: 'project-id' },
      roles: [{ id: 'r', name: 'admin' }],
      catalog: [
        {
          type: 'network',
          name: 'neutron',
          endpoints: [
            endpoint('internal', 'one', '/one/'),
            endpoint('public', 'one', '/public'),
            endpoint('public', 'two', '/two'),
          ],
        },
      ],
    };
    return { status: 201, headers: { 'x-subject-token': id }, body: { token } };
  }

  async #serve(seen: Seen): Promise<Reply | 'drop' | 'hang'> {
    const token = seen.headers['x-auth-token'];
    if (typeof token !== 'string' || !this.tokens.has(token)) return { status: 401, body: 'Authentication required' };
    return this.service(seen);
  }
}
