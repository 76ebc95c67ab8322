import { pickEndpoint } from './catalog.ts';
import type { Cloud } from './cloud.ts';
import { OpenStackError } from './errors.ts';
import { issueToken, type Token } from './keystone.ts';
import { deadlineOf, isTimeout, orAbort } from './retry.ts';
import { Transport } from './transport.ts';

export interface SessionOptions {
  /** Milliseconds that one renewal of the token may take. Default 30 000. */
  readonly timeout?: number;
  /** Where a failed renewal goes that nobody waits for; a pino logger fits. */
  readonly log?: { warn(fields: object, message: string): void };
  readonly env?: NodeJS.ProcessEnv;
}

const RENEWAL_PAUSE = 10_000;

/**
 * One login to one cloud. The token is cached, renewed in the background before it expires, and renewed at once when a
 * service refuses it; however many requests need a new one, Keystone is asked once.
 */
export class Session {
  readonly cloud: Cloud;
  readonly transport: Transport;
  readonly #timeout: number;
  readonly #log: SessionOptions['log'];
  readonly #closed = new AbortController();
  #token: Token | undefined;
  #renewal: Promise<Token> | undefined;
  /** Why the renewal under way has not succeeded yet. */
  #failure: Error | undefined;
  /** Not before this time is a token renewed that still works; else a refusing Keystone would be asked at every request. */
  #notBefore = 0;

  constructor(cloud: Cloud, { timeout = 30_000, log, env }: SessionOptions = {}) {
    this.cloud = cloud;
    this.transport = new Transport(cloud, cloud.nameOf('cacert'), env);
    this.#timeout = timeout;
    this.#log = log;
  }

  /** A token that is valid for a while. Waits for Keystone only when there is none. */
  async token(signal: AbortSignal): Promise<Token> {
    const token = this.#token;
    const age = token === undefined ? 0 : Date.now() - token.received;
    if (token === undefined || age >= token.lifetime - 1_000) return this.#awaitRenewal(signal);
    if (age >= token.lifetime - renewalMargin(token.lifetime) && Date.now() >= this.#notBefore) {
      this.#renew().catch((error: unknown) => {
        this.#notBefore = Date.now() + RENEWAL_PAUSE;
        if (!this.#closed.signal.aborted) this.#log?.warn({ err: error }, 'token not renewed; the old one is used on');
      });
    }
    return token;
  }

  /** A service has refused this token (HTTP 401): it is not given out again. */
  discard(token: Token): void {
    if (this.#token === token) this.#token = undefined;
  }

  /** The URL of a service (`network`, `compute`…) in the cloud's region, without a slash at its end. */
  async endpoint(type: string, signal: AbortSignal): Promise<string> {
    const { catalog } = await this.token(signal);
    return pickEndpoint(catalog, type, this.cloud);
  }

  /** Drops the token and the connections; requests under way end first. */
  async close(): Promise<void> {
    this.#closed.abort();
    this.#token = undefined;
    await this.transport.close();
  }

  async #awaitRenewal(signal: AbortSignal): Promise<Token> {
    try {
      return await orAbort(this.#renew(), signal);
    } catch (error) {
      if (!isTimeout(signal) || error !== signal.reason) throw error;
      if (this.#failure !== undefined) throw this.#failure;
      const params = { url: this.cloud.authUrl, reason: 'no answer in time', option: this.cloud.nameOf('auth_url') };
      throw new OpenStackError('OPENSTACK_KEYSTONE_UNREACHABLE', params, { cause: error });
    }
  }

  /** Not bound to any caller's deadline: others wait for the same renewal. */
  #renew(): Promise<Token> {
    this.#renewal ??= this.#issue().finally(() => {
      this.#renewal = undefined;
    });
    return this.#renewal;
  }

  async #issue(): Promise<Token> {
    this.#failure = undefined;
    const deadline = deadlineOf(this.#timeout, this.#closed.signal);
    const token = await issueToken(this.cloud, this.transport, deadline, (error) => {
      this.#failure = error;
    });
    this.#token = token;
    return token;
  }
}

/** How long before its end a token is renewed: a tenth of its life, at least a minute, at most half of it. */
function renewalMargin(lifetime: number): number {
  return Math.min(Math.max(lifetime / 10, 60_000), lifetime / 2);
}
