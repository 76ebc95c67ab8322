import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LAB_DIRECTORY } from './lab.ts';

/** An API that said no. */
export class HttpError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

interface TokenAnswer {
  token: { catalog: { type: string; endpoints: { interface: string; url: string }[] }[] };
}

/** A session with the lab's Keystone as its administrator, and requests to Neutron with it. */
export class Rest {
  readonly #environment: ReadonlyMap<string, string>;
  #token = '';
  #neutron = '';

  constructor() {
    const text = readFileSync(join(LAB_DIRECTORY, 'admin-openrc'), 'utf8');
    this.#environment = new Map(
      Array.from(text.matchAll(/(OS_\w+)=(\S+)/g), ([, name = '', value = '']) => [name, value]),
    );
  }

  /** For child processes such as the `openstack` client. */
  get environment(): Record<string, string> {
    return Object.fromEntries(this.#environment);
  }

  /** Path below `/v2.0`, e.g. `/networks?name=ext`. Authenticates when it has to. */
  async neutron<T>(method: string, path: string, body?: object): Promise<T> {
    if (this.#token === '') await this.#authenticate();
    let response = await this.#send(method, path, body);
    if (response.status === 401) {
      await this.#authenticate();
      response = await this.#send(method, path, body);
    }
    const text = await response.text();
    if (!response.ok) throw new HttpError(response.status, `${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  #send(method: string, path: string, body?: object): Promise<Response> {
    return fetch(`${this.#neutron}/v2.0${path}`, {
      method,
      headers: { 'x-auth-token': this.#token, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
  }

  async #authenticate(): Promise<void> {
    const value = (name: string) => this.#environment.get(name) ?? '';
    const user = { name: value('OS_USERNAME'), domain: { name: 'Default' }, password: value('OS_PASSWORD') };
    const scope = { project: { name: value('OS_PROJECT_NAME'), domain: { name: 'Default' } } };
    const response = await fetch(`${value('OS_AUTH_URL')}/auth/tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ auth: { identity: { methods: ['password'], password: { user } }, scope } }),
    });
    if (!response.ok) throw new HttpError(response.status, `Keystone: ${response.status} ${await response.text()}`);
    this.#token = response.headers.get('x-subject-token') ?? '';
    const { token } = (await response.json()) as TokenAnswer;
    const endpoints = token.catalog.find(({ type }) => type === 'network')?.endpoints ?? [];
    this.#neutron = endpoints.find((endpoint) => endpoint.interface === 'public')?.url.replace(/\/$/, '') ?? '';
  }
}
