import { randomUUID } from 'node:crypto';
import { OpenStackError } from './errors.ts';
import type { Token } from './keystone.ts';
import { type Attempt, deadlineOf, isTimeout, retryAfter, withRetries } from './retry.ts';
import { serviceError } from './service-error.ts';
import type { Session } from './session.ts';
import { type Answer, errorCode, isTlsFailure, reasonOf, wasNeverSent } from './transport.ts';

export interface RestService {
  /** In Keystone's catalog. */
  readonly type: string;
  /** For messages. */
  readonly name: string;
  /** What comes between endpoint and resource, unless the endpoint has it already: `/v2.0`. */
  readonly prefix: string;
}

export interface RequestOptions {
  /** The operation's deadline, or the wish to end it. */
  readonly signal?: AbortSignal;
  /** Milliseconds for the whole operation with all its retries. Default 60 000. */
  readonly timeout?: number;
}

/** `undefined` values are left out; several values of a name are repeated, which Neutron reads as “any of”. */
export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export interface RestRequest extends RequestOptions {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below the prefix: `/ports`. */
  readonly path: string;
  readonly query?: Query;
  readonly body?: unknown;
}

/**
 * A service's REST API, with the session's token. What is idempotent (all but POST) is repeated until the deadline while
 * the service is away (no connection, 502, 503, 504); a POST only when it cannot have arrived. A refused token is
 * renewed once. Everything else rejects with an {@link OpenStackError}.
 */
export class RestClient {
  readonly #session: Session;
  readonly #service: RestService;

  constructor(session: Session, service: RestService) {
    this.#session = session;
    this.#service = service;
  }

  /** The parsed answer; undefined when it has no body (204). */
  async request(request: RestRequest): Promise<unknown> {
    const { signal, timeout = 60_000 } = request;
    const requestId = `req-${randomUUID()}`;
    let renewed = false;
    return await withRetries<unknown>(
      async (deadline) => {
        for (;;) {
          const token = await this.#session.token(deadline);
          const url = await this.#url(request, deadline);
          const sent = await this.#send(request, url, token, requestId, deadline);
          if (!('status' in sent)) return sent;
          if (sent.status === 401 && !renewed) {
            // Refused before anything was done: even a POST may be sent again.
            renewed = true;
            this.#session.discard(token);
            continue;
          }
          return this.#judge(request, sent);
        }
      },
      deadlineOf(timeout, signal),
    );
  }

  async #url({ path, query = {} }: RestRequest, deadline: AbortSignal): Promise<string> {
    const endpoint = await this.#session.endpoint(this.#service.type, deadline);
    const { prefix } = this.#service;
    const url = new URL(`${endpoint}${endpoint.endsWith(prefix) ? '' : prefix}${path}`);
    for (const [name, value] of Object.entries(query)) {
      if (value === undefined) continue;
      for (const item of typeof value === 'object' ? value : [value]) url.searchParams.append(name, String(item));
    }
    return url.href;
  }

  async #send(
    request: RestRequest,
    url: string,
    token: Token,
    requestId: string,
    signal: AbortSignal,
  ): Promise<Answer | Exclude<Attempt<never>, { value: never }>> {
    const { method, body } = request;
    const headers = {
      accept: 'application/json',
      'x-auth-token': token.id,
      // Neutron logs it with each line of the request, and hands it on.
      'x-openstack-request-id': requestId,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    try {
      const text = body === undefined ? undefined : JSON.stringify(body);
      return await this.#session.transport.send({ method, url, headers, body: text, signal });
    } catch (cause) {
      return this.#unanswered(request, url, signal, cause);
    }
  }

  #unanswered(request: RestRequest, url: string, signal: AbortSignal, cause: unknown) {
    const service = this.#service.name;
    if (signal.aborted) {
      if (!isTimeout(signal)) throw signal.reason;
      const params = { request: describe(request), service };
      return { error: new OpenStackError('OPENSTACK_TIMEOUT', params, { cause }), again: false };
    }
    const { origin } = new URL(url);
    const reason = reasonOf(cause) || errorCode(cause);
    if (isTlsFailure(cause)) {
      const params = { url: origin, reason, option: this.#session.cloud.nameOf('cacert') };
      return { error: new OpenStackError('OPENSTACK_TLS', params, { cause }), again: false };
    }
    const error = new OpenStackError('OPENSTACK_UNREACHABLE', { service, url: origin, reason }, { cause });
    return { error, again: request.method !== 'POST' || wasNeverSent(cause) };
  }

  #judge(request: RestRequest, answer: Answer): Attempt<unknown> {
    const { status } = answer;
    const service = this.#service.name;
    if (status >= 200 && status < 300) {
      if (answer.text === '') return { value: undefined };
      try {
        return { value: JSON.parse(answer.text) };
      } catch (cause) {
        const params = { request: describe(request), service, reason: 'it is not JSON' };
        throw new OpenStackError('OPENSTACK_BAD_ANSWER', params, { cause, httpStatus: status });
      }
    }
    const error = serviceError(service, describe(request), answer);
    const away = status === 502 || status === 503 || status === 504;
    const again = status === 429 || (away && request.method !== 'POST');
    const after = retryAfter(answer.header('retry-after'));
    return { error, again, ...(after === undefined ? {} : { after }) };
  }
}

function describe({ method, path }: RestRequest): string {
  return `${method} ${path}`;
}
