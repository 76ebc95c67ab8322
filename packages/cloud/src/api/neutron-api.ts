import { Collection, type Incoming, pathNotFound } from './collection.ts';
import { notAuthorized } from './fault.ts';
import type { Answer, Operation } from './operation.ts';
import type { Requests } from './requests.ts';
import type { Resource } from './resource.ts';

interface Served {
  serve(incoming: Incoming, rest: readonly string[]): Answer;
}

/** All that is below `/v2.0/`. */
export class NeutronApi {
  readonly #requests: Requests;
  /** By path: `networks`, `floatingips/port_forwardings`. */
  readonly #collections = new Map<string, Served>();
  readonly #names: { readonly name: string; readonly collection: string; readonly path: string }[] = [];
  readonly #operations: { readonly operation: Operation; readonly words: readonly string[] }[] = [];

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  add<R extends { readonly id: string }>(resource: Resource<R>): this {
    const path = resource.path ?? resource.plural.replaceAll('_', '-');
    const collection = new Collection(resource, this.#requests);
    this.#collections.set(resource.parent === undefined ? path : `${resource.parent}/${path}`, collection);
    this.#names.push({ name: resource.singular, collection: resource.plural, path });
    return this;
  }

  addOperations(operations: readonly Operation[]): this {
    for (const operation of operations)
      this.#operations.push({ operation, words: operation.path.split('/').filter((word) => word !== '') });
    return this;
  }

  /** What `GET /v2.0/` says. */
  resources(base: string): unknown {
    const core = this.#names.filter(({ collection }) => ['networks', 'subnets', 'ports'].includes(collection));
    return {
      resources: core.map(({ name, collection, path }) => ({
        name,
        collection,
        links: [{ rel: 'self', href: `${base}/v2.0/${path}` }],
      })),
    };
  }

  /** `path`: the words behind `/v2.0/`. Throws a Fault, as does everything below. */
  serve(incoming: Incoming, path: readonly string[]): Answer {
    for (const { operation, words } of this.#operations) {
      const parameters = operation.method === incoming.method ? match(words, path) : undefined;
      if (parameters === undefined) continue;
      if (operation.adminRule !== undefined && !incoming.caller.isAdmin) throw notAuthorized(operation.adminRule);
      return this.#requests.run(incoming.caller, (context) => operation.run(context, parameters, incoming.body));
    }
    const [first = '', id, second, ...rest] = path;
    const nested = id === undefined ? undefined : this.#collections.get(`${first}/${second}`);
    if (nested !== undefined && id !== undefined) return nested.serve({ ...incoming, parentId: id }, rest);
    const collection = this.#collections.get(first);
    if (collection === undefined) throw pathNotFound();
    return collection.serve(incoming, path.slice(1));
  }
}

function match(words: readonly string[], path: readonly string[]): Record<string, string> | undefined {
  if (words.length !== path.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [at, word] of words.entries()) {
    const given = path[at] ?? '';
    if (word.startsWith(':')) parameters[word.slice(1)] = given;
    else if (word !== given) return undefined;
  }
  return parameters;
}
