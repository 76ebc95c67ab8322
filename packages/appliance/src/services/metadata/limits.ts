/** Requests under way, of all clients and of one. */
const CONCURRENCY = 1_024;
const CONCURRENCY_OF_CLIENT = 16;
/** Connections of one client, idle ones too. */
const CONNECTIONS_OF_CLIENT = 32;
/** Requests passed on for all clients, per second in the long run and at once. */
const RATE = 1_000;
const BURST = 2_000;
/** Of one client at once: cloud-init reads some fifty paths without a pause. */
export const BURST_OF_CLIENT = 100;
export const RATE_OF_CLIENT = 50;
/** Clients looked after; the addresses of a network may be many more than its machines. */
const MAX_CLIENTS = 4_096;

/** Requests that are allowed now: `rate` more each second, up to `burst`. */
class Bucket {
  #tokens: number;
  #filled: number;

  constructor(burst: number, now: number) {
    this.#tokens = burst;
    this.#filled = now;
  }

  take(rate: number, burst: number, now: number): boolean {
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filled) / 1000) * rate);
    this.#filled = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Ms since it was filled last. */
  idle(now: number): number {
    return now - this.#filled;
  }
}

interface Client {
  readonly bucket: Bucket;
  requests: number;
  connections: number;
}

/**
 * Who may ask now: no client takes more than its share of the proxy, nor all of them together more than Nova can bear. Times are
 * those of `now`, in milliseconds.
 */
export class Admission {
  readonly #clients = new Map<string, Client>();
  readonly #all: Bucket;
  readonly #now: () => number;
  #requests = 0;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#all = new Bucket(BURST, now());
  }

  /** False: the connection is to be closed. Each true is followed by one {@link disconnect}. */
  connect(address: string): boolean {
    const client = this.#client(address);
    if (client === undefined || client.connections >= CONNECTIONS_OF_CLIENT) return false;
    client.connections += 1;
    return true;
  }

  disconnect(address: string): void {
    const client = this.#clients.get(address);
    if (client !== undefined) client.connections -= 1;
  }

  /** Each `admitted` is followed by one {@link done}. `rate`: requests per second of this client. */
  request(address: string, rate: number): 'admitted' | 'busy' | 'often' {
    const client = this.#client(address);
    if (client === undefined || this.#requests >= CONCURRENCY || client.requests >= CONCURRENCY_OF_CLIENT)
      return 'busy';
    if (!client.bucket.take(rate, Math.max(rate, BURST_OF_CLIENT), this.#now())) return 'often';
    this.#requests += 1;
    client.requests += 1;
    return 'admitted';
  }

  /** Whether one more may be passed on. */
  forward(): boolean {
    return this.#all.take(RATE, BURST, this.#now());
  }

  done(address: string): void {
    this.#requests -= 1;
    const client = this.#clients.get(address);
    if (client !== undefined) client.requests -= 1;
  }

  #client(address: string): Client | undefined {
    const known = this.#clients.get(address);
    if (known !== undefined) return known;
    if (this.#clients.size >= MAX_CLIENTS) this.#forgetIdle();
    if (this.#clients.size >= MAX_CLIENTS) return undefined;
    const client = { bucket: new Bucket(BURST_OF_CLIENT, this.#now()), requests: 0, connections: 0 };
    this.#clients.set(address, client);
    return client;
  }

  #forgetIdle(): void {
    const now = this.#now();
    for (const [address, { bucket, requests, connections }] of this.#clients) {
      if (requests === 0 && connections === 0 && bucket.idle(now) > 60_000) this.#clients.delete(address);
    }
  }
}
