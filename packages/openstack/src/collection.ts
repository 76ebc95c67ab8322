import { OpenStackError } from './errors.ts';
import type { Query, RequestOptions, RestClient } from './rest-client.ts';

/** Objects a page; Neutron's own limit (`pagination_max_limit`) may be lower, and then it says so by its links. */
const PAGE = 500;
/** Values of one filter in one request: 50 ids are about 2 kB of URL, which every server takes. */
const VALUES = 50;
const RESTARTS = 3;

export interface ListOptions<T> extends RequestOptions {
  /** Neutron's filters: `{ device_owner: [...], network_id }`. An empty list of values means that nothing is asked for. */
  readonly filters?: Query;
  /** Only these fields are answered. */
  readonly fields?: readonly (keyof T & string)[];
  readonly pageSize?: number;
}

/** One kind of object of Neutron's API, e.g. `/ports` with `{ "ports": […] }` and `{ "port": … }`. */
export class Collection<T extends { readonly id: string }> {
  readonly #client: RestClient;
  readonly #one: string;
  readonly #many: string;

  constructor(client: RestClient, one: string, many = `${one}s`) {
    this.#client = client;
    this.#one = one;
    this.#many = many;
  }

  /** Everything that fits, each object once. `signal` and `timeout` hold for each page's request. */
  list<const Field extends keyof T & string>(
    options: ListOptions<T> & { readonly fields: readonly Field[] },
  ): Promise<Pick<T, Field>[]>;
  list(options?: ListOptions<T>): Promise<T[]>;
  async list(options: ListOptions<T> = {}): Promise<T[]> {
    const found = new Map<string, T>();
    for (const filters of chunks(options.filters ?? {})) {
      for await (const page of this.#pages(filters, options)) {
        for (const item of page) found.set(item.id, item);
      }
    }
    return [...found.values()];
  }

  async get(id: string, options: RequestOptions = {}): Promise<T> {
    return this.#unwrap(await this.#client.request({ ...options, method: 'GET', path: this.#path(id) }));
  }

  /** Not repeated when its answer is lost: it may have been made. */
  async create(object: Readonly<Record<string, unknown>>, options: RequestOptions = {}): Promise<T> {
    const body = { [this.#one]: object };
    return this.#unwrap(await this.#client.request({ ...options, method: 'POST', path: `/${this.#many}`, body }));
  }

  async update(id: string, changes: Readonly<Record<string, unknown>>, options: RequestOptions = {}): Promise<T> {
    const body = { [this.#one]: changes };
    return this.#unwrap(await this.#client.request({ ...options, method: 'PUT', path: this.#path(id), body }));
  }

  /** Absent already: fine. */
  async delete(id: string, options: RequestOptions = {}): Promise<void> {
    try {
      await this.#client.request({ ...options, method: 'DELETE', path: this.#path(id) });
    } catch (error) {
      if (!(error instanceof OpenStackError && error.code === 'OPENSTACK_NOT_FOUND')) throw error;
    }
  }

  async *#pages(filters: Query, options: ListOptions<T>): AsyncGenerator<T[]> {
    const { fields, pageSize = PAGE, signal, timeout } = options;
    // The id is what pages and duplicates are told by.
    const wanted = fields === undefined ? undefined : [...new Set(['id', ...fields])];
    let marker: string | undefined;
    let restarts = 0;
    for (;;) {
      const query = { ...filters, fields: wanted, limit: pageSize, marker };
      const request = { method: 'GET', path: `/${this.#many}`, query } as const;
      const deadline = { ...(signal === undefined ? {} : { signal }), ...(timeout === undefined ? {} : { timeout }) };
      let page: Page<T>;
      try {
        page = this.#page(await this.#client.request({ ...request, ...deadline }));
      } catch (error) {
        // The object that the page before ended with has been deleted meanwhile: from the start.
        if (marker === undefined || !isLostMarker(error) || ++restarts > RESTARTS) throw error;
        marker = undefined;
        continue;
      }
      yield page.items;
      if (page.next === undefined || page.next === marker) return;
      marker = page.next;
    }
  }

  #page(body: unknown): Page<T> {
    const items = valueAt(body, this.#many);
    if (!Array.isArray(items)) throw this.#badAnswer(this.#many);
    const links = valueAt(body, `${this.#many}_links`);
    const next = Array.isArray(links) ? links.find((link) => valueAt(link, 'rel') === 'next') : undefined;
    const href = valueAt(next, 'href');
    // Only the marker is taken from the link: its host may be one that only the other side of a proxy knows.
    const marker = typeof href === 'string' ? URL.parse(href, 'http://neutron')?.searchParams.get('marker') : undefined;
    return { items, next: items.length === 0 ? undefined : (marker ?? undefined) };
  }

  #unwrap(body: unknown): T {
    const item = valueAt(body, this.#one);
    if (typeof item !== 'object' || item === null) throw this.#badAnswer(this.#one);
    return item as T;
  }

  #badAnswer(key: string): OpenStackError {
    const params = { request: `/${this.#many}`, service: 'Neutron', reason: `it has no ${key}` };
    return new OpenStackError('OPENSTACK_BAD_ANSWER', params);
  }

  #path(id: string): string {
    return `/${this.#many}/${encodeURIComponent(id)}`;
  }
}

interface Page<T> {
  readonly items: T[];
  readonly next: string | undefined;
}

function valueAt(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

function isLostMarker(error: unknown): boolean {
  return error instanceof OpenStackError && (error.httpStatus === 404 || error.httpStatus === 400);
}

/** The longest filter in parts, so that no URL grows too long; none at all when a filter admits nothing. */
function chunks(filters: Query): Query[] {
  const lists = Object.entries(filters).filter((entry): entry is [string, readonly string[]] =>
    Array.isArray(entry[1]),
  );
  if (lists.some(([, values]) => values.length === 0)) return [];
  const [name, values] = lists.reduce<[string, readonly string[]]>(
    (longest, entry) => (entry[1].length > longest[1].length ? entry : longest),
    ['', []],
  );
  if (values.length <= VALUES) return [filters];
  return Array.from({ length: Math.ceil(values.length / VALUES) }, (_, index) => ({
    ...filters,
    [name]: values.slice(index * VALUES, (index + 1) * VALUES),
  }));
}
