import type { InstanceSpec, InstanceView } from '@astara/model/instance.ts';
import { remoteError } from '../appliance-client/remote-error.ts';
import { type Answer, type Call, isTimeout, parseJson, UnixJson } from '../appliance-client/unix-json.ts';
import { errors } from '../errors.ts';
import { offendingField } from './instance-view.ts';
import type { Provider } from './provider.ts';

/** ms. Longer than the time between two health checks, so that a change finds a connection. */
const idle = 30_000;

/** Instances as namespaces of this host: what `astara-agent` makes. Speaks to its unix socket, and does nothing itself. */
export class NamespaceProvider implements Provider {
  readonly name = 'namespace';
  readonly #socket: string;
  readonly #http: UnixJson;

  /** `connections`: operations at once; the agent itself takes turns where it must. */
  constructor(options: { readonly socket: string; readonly connections: number }) {
    this.#socket = options.socket;
    this.#http = new UnixJson({ sockets: options.connections, idle });
  }

  async list(signal: AbortSignal): Promise<InstanceView[]> {
    const path = '/v1/instances';
    const body = parseJson((await this.#send({ method: 'GET', path, signal })).text);
    if (!Array.isArray(body))
      throw errors.make('PROVIDER_BAD_ANSWER', { operation: `GET ${path}`, reason: 'no array' });
    return body.map((one) => view(one, `GET ${path}`));
  }

  async ensure(id: string, spec: InstanceSpec, signal: AbortSignal): Promise<InstanceView> {
    const path = `/v1/instances/${encodeURIComponent(id)}`;
    return view(parseJson((await this.#send({ method: 'PUT', path, body: spec, signal })).text), `PUT ${path}`);
  }

  async destroy(id: string, signal: AbortSignal): Promise<void> {
    await this.#send({ method: 'DELETE', path: `/v1/instances/${encodeURIComponent(id)}`, signal });
  }

  close(): void {
    this.#http.close();
  }

  async #send(call: Omit<Call, 'socket'>): Promise<Answer> {
    const operation = `${call.method} ${call.path}`;
    let answer: Answer;
    try {
      answer = await this.#http.send({ ...call, socket: this.#socket });
    } catch (cause) {
      if (isTimeout(cause)) throw errors.make('PROVIDER_TIMEOUT', { operation }, { cause });
      if (call.signal.aborted) throw cause;
      throw errors.make('PROVIDER_UNREACHABLE', { socket: this.#socket, reason: String(cause) }, { cause });
    }
    if (answer.status >= 200 && answer.status <= 299) return answer;
    const reason = `status ${answer.status}: ${answer.text.slice(0, 200)}`;
    throw remoteError(answer.text, answer.status) ?? errors.make('PROVIDER_BAD_ANSWER', { operation, reason });
  }
}

function view(body: unknown, operation: string): InstanceView {
  const field = offendingField(body);
  if (field === undefined) return body as InstanceView;
  throw errors.make('PROVIDER_BAD_ANSWER', { operation, reason: `${field} of an instance is not as agreed` });
}
