import { readFileSync } from 'node:fs';
import { Agent, type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import { OpenStackError } from './errors.ts';

export interface TlsOptions {
  /** PEM file of the authorities that sign the services' certificates; null: the public ones. */
  readonly cafile: string | null;
  readonly insecure: boolean;
}

export interface Call {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly text: string;
}

/**
 * HTTP with kept-alive connections. The proxies of the environment (`http_proxy`, `https_proxy`, `no_proxy`) are used as
 * other OpenStack clients use them, but never for loopback, where no proxy can reach what is meant.
 */
export class Transport {
  readonly #direct: Dispatcher;
  readonly #proxied: Dispatcher;

  /** `cafileOption` names what set `cafile`, for the error. */
  constructor({ cafile, insecure }: TlsOptions, cafileOption: string, env: NodeJS.ProcessEnv = process.env) {
    const tls = {
      ...(cafile === null ? {} : { ca: readAuthorities(cafile, cafileOption) }),
      rejectUnauthorized: !insecure,
    };
    // Deadlines come with each call; a slow answer before one is no reason to give up.
    const options = { connect: { ...tls, timeout: 5_000 }, headersTimeout: 0, bodyTimeout: 0 };
    this.#direct = new Agent(options);
    const httpProxy = env.http_proxy ?? env.HTTP_PROXY ?? '';
    const httpsProxy = env.https_proxy ?? env.HTTPS_PROXY ?? '';
    const noProxy = env.no_proxy ?? env.NO_PROXY ?? '';
    this.#proxied =
      httpProxy === '' && httpsProxy === ''
        ? this.#direct
        : new EnvHttpProxyAgent({ ...options, requestTls: tls, httpProxy, httpsProxy, noProxy });
  }

  /** Rejects with what undici or the signal says when there is no whole answer. */
  async send({ method, url, headers, body, signal }: Call): Promise<Answer> {
    const dispatcher = isLoopback(new URL(url).hostname) ? this.#direct : this.#proxied;
    const response = await request(url, { dispatcher, method, headers, body: body ?? null, signal });
    const text = await response.body.text();
    return {
      status: response.statusCode,
      header: (name) => {
        const value = response.headers[name];
        return Array.isArray(value) ? value[0] : value;
      },
      text,
    };
  }

  async close(): Promise<void> {
    await this.#direct.close();
    if (this.#proxied !== this.#direct) await this.#proxied.close();
  }
}

export function isLoopback(hostname: string): boolean {
  return /^(localhost|.*\.localhost|127(\.\d{1,3}){3}|\[::1\]|\[::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}\])\.?$/i.test(
    hostname,
  );
}

/** Whether the request cannot have reached the service, so that even one that is not idempotent may be sent again. */
export function wasNeverSent(error: unknown): boolean {
  return /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/.test(errorCode(error));
}

export function isTlsFailure(error: unknown): boolean {
  return /^(ERR_TLS_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(VERIFY|GET_ISSUER))/.test(errorCode(error));
}

/** The system's or undici's name of a failure; empty when it has none. */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return '';
  // Several addresses were tried: all failed, and the first says why.
  if (error instanceof AggregateError) return errorCode(error.errors[0]);
  return 'code' in error ? String(error.code) : '';
}

export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}

function readAuthorities(cafile: string, option: string): string {
  try {
    return readFileSync(cafile, 'utf8');
  } catch (cause) {
    const problem = `names ${cafile}, which cannot be read (${reasonOf(cause)})`;
    throw new OpenStackError(
      'OPENSTACK_AUTH_INVALID',
      { parameter: option, problem, accepted: 'a PEM file' },
      { cause },
    );
  }
}
