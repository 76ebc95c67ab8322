import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { cannotListen } from '../../errors.ts';
import type { Store } from '../../store/store.ts';
import { type Document, documents } from './documents.ts';

export interface MetadataOptions {
  readonly store: Store;
  readonly log: Logger;
  /** As Nova's `[neutron] metadata_proxy_shared_secret`. */
  readonly sharedSecret: string;
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly type?: string;
}

const say = (status: number, text: string): Answer => ({ status, text });

/** Nova's metadata service: answers requests that a proxy has signed for a server with what that server may know of itself. */
export class MetadataService {
  readonly #options: MetadataOptions;
  readonly #server: Server;

  constructor(options: MetadataOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => {
      let answer: Answer;
      try {
        answer = this.#answer(request);
      } catch (error) {
        options.log.error({ err: error, path: request.url }, 'a metadata request failed');
        answer = say(500, 'Unexpected error.');
      }
      response
        .writeHead(answer.status, { 'content-type': `${answer.type ?? 'text/plain'}; charset=UTF-8` })
        .end(answer.text);
    });
  }

  /** Resolves with the URL for the proxy. */
  async start(): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const { host, port: wanted } = this.#options;
    this.#server.once('error', reject).listen(wanted, host, resolve);
    await promise.catch(cannotListen('the metadata service', host, wanted));
    const { address, port } = this.#server.address() as AddressInfo;
    return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
  }

  async stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeAllConnections();
    await promise;
  }

  #answer(request: IncomingMessage): Answer {
    const path = new URL(request.url ?? '/', 'http://metadata').pathname.split('/').filter((word) => word !== '');
    const [instance, tenant, signature] = ['x-instance-id', 'x-tenant-id', 'x-instance-id-signature'].map((name) =>
      single(request, name),
    );
    if (instance === undefined) return say(400, 'X-Instance-ID header is missing from request.');
    if (signature === undefined) return say(400, 'X-Instance-ID-Signature header is missing from request.');
    if (tenant === undefined) return say(400, 'X-Tenant-ID header is missing from request.');
    if (!this.#isSigned(instance, signature)) return say(403, 'Invalid proxy request signature.');
    const { store } = this.#options;
    const row = store.servers.get(instance);
    if (row === undefined || row.project_id !== tenant) return say(404, 'No metadata for this instance.');
    if (request.method !== 'GET' && request.method !== 'HEAD') return say(405, 'Metadata can be read only.');
    return render(path, documents(store, row));
  }

  #isSigned(instance: string, signature: string): boolean {
    const wanted = Buffer.from(createHmac('sha256', this.#options.sharedSecret).update(instance).digest('hex'));
    const given = Buffer.from(signature);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }
}

function single({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A directory as the list of its entries, those that are directories with a slash, as EC2 has it. */
function render(path: readonly string[], root: Document): Answer {
  let found: Document | undefined = root;
  for (const word of path) {
    if (found === undefined || typeof found === 'string' || !Object.hasOwn(found, word)) return say(404, 'Not Found');
    found = found[word];
  }
  if (typeof found === 'string') {
    return { ...say(200, found), ...(path.at(-1)?.endsWith('.json') ? { type: 'application/json' } : {}) };
  }
  const isOpenstack = path[0] === 'openstack';
  const names = Object.entries(found ?? {})
    .filter(([name]) => path.length > 0 || name !== 'openstack')
    .map(([name, entry]) => (typeof entry === 'string' || isOpenstack || path.length === 0 ? name : `${name}/`));
  return say(200, names.join('\n'));
}
