import type { Logger } from 'pino';
import type { Gate } from './gate.ts';
import type { Stamp } from './mirror/guarded.ts';
import type { Mirror } from './mirror/mirror.ts';
import { Repeater } from './repeater.ts';
import type { FloatingIpStatus, NeutronRpc } from './rpc.ts';

export interface FloatingIpReporterOptions {
  readonly rpc: NeutronRpc;
  readonly mirror: Mirror;
  /** What nobody waits for goes when it is open. */
  readonly gate: Gate;
  readonly logger: Logger;
  /** Milliseconds to gather more changes before they are reported. */
  readonly gather?: number;
  /** Milliseconds. */
  readonly timeout?: number;
}

/** Tells Neutron which floating IPs work: only what differs from what it believes, one router per call, behind the work itself. */
export class FloatingIpReporter {
  readonly #options: FloatingIpReporterOptions;
  readonly #sender: Repeater;
  /** Per router, what is to be said of its floating IPs: those in force, and removed ones until Neutron has been told. */
  readonly #wanted = new Map<string, Map<string, FloatingIpStatus>>();
  /** Routers that Neutron has heard of since our start; with the first report it sets to DOWN what left them meanwhile. */
  readonly #greeted = new Set<string>();
  readonly #ungreeted = new Set<string>();
  /** Routers of which Neutron does not believe what it should: those that a user waits for, and the others. */
  readonly #urgent = new Set<string>();
  readonly #due = new Set<string>();
  /** What we told Neutron, and when: newer than what an earlier observation says. */
  readonly #told = new Map<string, { readonly status: FloatingIpStatus; readonly stamp: Stamp }>();

  constructor(options: FloatingIpReporterOptions) {
    this.#options = options;
    this.#sender = new Repeater((attempt, signal) => this.#send(attempt, signal), {
      base: 500,
      cap: 5000,
      onError: (error, attempt) =>
        options.logger.warn({ err: error, attempt }, 'floating IP statuses not reported yet'),
    });
    options.gate.onOpen(() => this.check());
  }

  /** These floating IPs, and no others, work on the router now. `urgent`: a user waits for it. */
  applied(routerId: string, fipIds: readonly string[], urgent: boolean): void {
    const before = this.#wanted.get(routerId)?.keys() ?? [];
    const now = new Map<string, FloatingIpStatus>([...before].map((id) => [id, 'DOWN']));
    for (const id of fipIds) now.set(id, 'ACTIVE');
    if (now.size > 0) this.#wanted.set(routerId, now);
    else this.#wanted.delete(routerId);
    if (!this.#greeted.has(routerId)) this.#ungreeted.add(routerId);
    if (this.#hasNews(routerId)) (urgent ? this.#urgent : this.#due).add(routerId);
    this.#flush();
  }

  /** The router has no instance any more. When it left this host, another may serve its floating IPs already: nothing is told. */
  removed(routerId: string): void {
    if (this.#options.mirror.routers.has(routerId)) this.applied(routerId, [], false);
    else this.#wanted.delete(routerId);
    this.#ungreeted.delete(routerId);
    this.#greeted.delete(routerId);
  }

  /** Compares all that is in force with what Neutron believes. */
  check(): void {
    for (const router of this.#wanted.keys()) if (this.#hasNews(router)) this.#due.add(router);
    this.#flush();
  }

  get idle(): boolean {
    return this.#sender.idle;
  }

  async stop(): Promise<void> {
    await this.#sender.stop();
  }

  #flush(): void {
    if (this.#next() !== undefined) this.#sender.request(this.#options.gather ?? 20);
  }

  #next(): string | undefined {
    const [urgent] = this.#urgent;
    const [due] = this.#options.gate.isOpen ? this.#due : [];
    return urgent ?? due;
  }

  #hasNews(router: string): boolean {
    return this.#ungreeted.has(router) || Object.keys(this.#news(router)).length > 0;
  }

  /** The statuses that Neutron does not believe. */
  #news(router: string): Record<string, FloatingIpStatus> {
    const wanted = this.#wanted.get(router) ?? new Map<string, FloatingIpStatus>();
    const news: Record<string, FloatingIpStatus> = {};
    for (const [id, status] of wanted) {
      const owner = this.#options.mirror.floatingIps.get(id)?.router_id;
      const ours = status === 'ACTIVE' ? owner === router : (owner ?? router) === router;
      if (ours && this.#believed(id) !== status) news[id] = status;
      // Another router answers for it now, here or on another host.
      if (!ours && status === 'DOWN') wanted.delete(id);
    }
    return news;
  }

  #believed(id: string): FloatingIpStatus | undefined {
    const told = this.#told.get(id);
    const observed = this.#options.mirror.floatingIps.observed(id);
    if (told === undefined) return observed?.value.status;
    return observed !== undefined && observed.stamp > told.stamp ? observed.value.status : told.status;
  }

  async #send(attempt: number, signal: AbortSignal): Promise<void> {
    for (let router = this.#next(); router !== undefined; router = this.#next()) {
      const urgent = this.#urgent.delete(router);
      this.#due.delete(router);
      if (!this.#hasNews(router)) continue;
      try {
        await this.#tell(router, attempt, signal);
      } catch (error) {
        (urgent ? this.#urgent : this.#due).add(router);
        throw error;
      }
    }
  }

  async #tell(router: string, attempt: number, signal: AbortSignal): Promise<void> {
    const { rpc, mirror, timeout = 10_000 } = this.#options;
    const news = this.#news(router);
    await rpc.updateFloatingIpStatuses(router, news, { timeout: Math.min(60_000, timeout * 2 ** attempt), signal });
    const stamp = mirror.stamp();
    if (this.#ungreeted.delete(router)) this.#greeted.add(router);
    const wanted = this.#wanted.get(router);
    for (const [id, status] of Object.entries(news)) {
      if (status === 'DOWN' && wanted?.get(id) === 'DOWN') {
        wanted.delete(id);
        this.#told.delete(id);
      } else {
        this.#told.set(id, { status, stamp });
      }
    }
    if (this.#hasNews(router)) this.#due.add(router);
  }
}
