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
  /** Which floating IPs each router has in force. */
  readonly #inForce = new Map<string, ReadonlySet<string>>();
  /** Removed ones, by the router they were on, until Neutron has been told. */
  readonly #down = new Map<string, string>();
  /** Routers that Neutron has heard of since our start; with the first report it sets to DOWN what left them meanwhile. */
  readonly #greeted = new Set<string>();
  readonly #ungreeted = new Set<string>();
  /** Routers whose report a user waits for, until nothing is left to report of them. */
  readonly #urgent = new Set<string>();
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
    const before = this.#inForce.get(routerId) ?? new Set<string>();
    const now = new Set(fipIds);
    if (now.size > 0) this.#inForce.set(routerId, now);
    else this.#inForce.delete(routerId);
    if (!this.#greeted.has(routerId)) this.#ungreeted.add(routerId);
    for (const id of before) if (!now.has(id)) this.#down.set(id, routerId);
    for (const id of now) this.#down.delete(id);
    if (urgent) this.#urgent.add(routerId);
    this.check();
  }

  /** The router has no instance any more. When it left this host, another may serve its floating IPs already: nothing is told. */
  removed(routerId: string): void {
    if (this.#options.mirror.routers.has(routerId)) this.applied(routerId, [], false);
    this.#inForce.delete(routerId);
    this.#ungreeted.delete(routerId);
    this.#greeted.delete(routerId);
  }

  /** Compares all that is in force with what Neutron believes. */
  check(): void {
    if (this.#due().length > 0) this.#sender.request(this.#options.gather ?? 20);
  }

  get idle(): boolean {
    return this.#sender.idle;
  }

  async stop(): Promise<void> {
    await this.#sender.stop();
  }

  /** Per router, the statuses to tell now. */
  #due(): [string, Record<string, FloatingIpStatus>][] {
    const work = this.#work();
    for (const router of this.#urgent) if (!work.has(router)) this.#urgent.delete(router);
    return [...work].filter(([router]) => this.#options.gate.isOpen || this.#urgent.has(router));
  }

  /** Per router, the statuses that Neutron does not believe. */
  #work(): Map<string, Record<string, FloatingIpStatus>> {
    const work = new Map<string, Record<string, FloatingIpStatus>>([...this.#ungreeted].map((router) => [router, {}]));
    const add = (router: string, id: string, status: FloatingIpStatus) => {
      if (this.#believed(id) !== status) work.set(router, { ...work.get(router), [id]: status });
    };
    for (const [router, ids] of this.#inForce) {
      for (const id of ids)
        if (this.#options.mirror.floatingIps.get(id)?.router_id === router) add(router, id, 'ACTIVE');
    }
    for (const [id, router] of this.#down) {
      const elsewhere = this.#options.mirror.floatingIps.get(id)?.router_id ?? router;
      // Another router answers for it now, here or on another host.
      if (elsewhere !== router) {
        this.#down.delete(id);
        this.#told.delete(id);
      } else {
        add(router, id, 'DOWN');
      }
    }
    return work;
  }

  #believed(id: string): FloatingIpStatus | undefined {
    const told = this.#told.get(id);
    const observed = this.#options.mirror.floatingIps.observed(id);
    if (told === undefined) return observed?.value.status;
    return observed !== undefined && observed.stamp > told.stamp ? observed.value.status : told.status;
  }

  async #send(attempt: number, signal: AbortSignal): Promise<void> {
    const { rpc, mirror, timeout = 10_000 } = this.#options;
    for (const [router, statuses] of this.#due()) {
      await rpc.updateFloatingIpStatuses(router, statuses, {
        timeout: Math.min(60_000, timeout * 2 ** attempt),
        signal,
      });
      const stamp = mirror.stamp();
      if (this.#ungreeted.delete(router)) this.#greeted.add(router);
      for (const [id, status] of Object.entries(statuses)) {
        if (status === 'DOWN' && this.#down.get(id) === router) {
          this.#down.delete(id);
          this.#told.delete(id);
        } else {
          this.#told.set(id, { status, stamp });
        }
      }
    }
    this.check();
  }
}
