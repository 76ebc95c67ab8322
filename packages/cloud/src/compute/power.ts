import type { Logger } from 'pino';
import type { Requests } from '../api/requests.ts';
import { timestamp } from '../network/touch.ts';
import type { ServerRow } from '../store/rows.ts';
import type { Hypervisor, Machine } from './hypervisor.ts';
import { portsOf } from './server-view.ts';

export interface PowerOptions {
  readonly requests: Requests;
  readonly hypervisor: Hypervisor;
  readonly log: Logger;
  /** Milliseconds for a new server's ports to become ACTIVE, then it is in ERROR as in Nova; default 300 000. */
  readonly plugTimeout?: number;
}

/**
 * Makes machines what the store's servers say: on, off, or gone. Level-triggered: it looks at a server whenever it or a port of it
 * changes, and at all that is there when it starts. One look at a server at a time, a few servers at once.
 */
export class Power {
  readonly #options: PowerOptions;
  readonly #waiting = new Set<string>();
  readonly #working = new Map<string, Promise<void>>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  /** Machines that are up, and which ports they have. */
  readonly #up = new Map<string, string>();
  #running = false;

  constructor(options: PowerOptions) {
    this.#options = options;
    options.requests.store.onCommit((changes) => {
      for (const { table, before, after } of changes) {
        if (table === 'servers') this.#look((before ?? after)?.id ?? '');
        if (table !== 'ports') continue;
        for (const port of [before, after] as { readonly device_id?: string }[]) {
          if (port?.device_id !== undefined && options.requests.store.servers.get(port.device_id))
            this.#look(port.device_id);
        }
      }
    });
  }

  /** Resolves when every server has been looked at, and leftovers of an earlier run are gone. */
  async start(): Promise<void> {
    const { requests, hypervisor } = this.#options;
    await hypervisor.start();
    this.#running = true;
    for (const id of await hypervisor.list()) this.#look(id);
    for (const { id } of requests.store.servers.all()) this.#look(id);
    await this.idle();
  }

  /** Resolves when there is nothing to do. */
  async idle(): Promise<void> {
    while (this.#working.size > 0) await Promise.all(this.#working.values());
  }

  /** Ends the work; machines stay, for the next to find. */
  async leave(): Promise<void> {
    this.#running = false;
    this.#waiting.clear();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await this.idle();
    this.#options.hypervisor.close();
  }

  /** Destroys all machines. */
  async stop(): Promise<void> {
    const { hypervisor } = this.#options;
    this.#running = false;
    this.#waiting.clear();
    await this.idle();
    for (const id of await hypervisor.list()) await hypervisor.destroy(id);
    await this.leave();
  }

  #look(id: string): void {
    if (!this.#running || id === '') return;
    this.#waiting.add(id);
    this.#next();
  }

  #next(): void {
    for (const id of this.#waiting) {
      if (this.#working.size >= 8) return;
      if (this.#working.has(id)) continue;
      this.#waiting.delete(id);
      const work = this.#converge(id).finally(() => {
        this.#working.delete(id);
        this.#next();
      });
      this.#working.set(id, work);
    }
  }

  async #converge(id: string): Promise<void> {
    // Whoever changed the row is still at it: rows may not be changed from a listener.
    await Promise.resolve();
    const { requests, hypervisor, log } = this.#options;
    try {
      const row = requests.store.servers.get(id);
      if (row === undefined || row.power === 'off') this.#up.delete(id);
      if (row === undefined) {
        this.#forget(id);
        await hypervisor.destroy(id);
      } else if (row.power === 'off') await this.#turnOff(row);
      else if (row.status !== 'ERROR') await this.#turnOn(row);
    } catch (error) {
      log.error({ err: error, server: id }, 'a server is not what it should be');
      this.#fail(id, error instanceof Error ? error.message : String(error));
    }
  }

  async #turnOff({ id }: ServerRow): Promise<void> {
    await this.#options.hypervisor.halt(id);
    this.#change(id, (row) =>
      row.power === 'off' && row.status !== 'SHUTOFF' ? { status: 'SHUTOFF', fault: null } : undefined,
    );
  }

  async #turnOn(row: ServerRow): Promise<void> {
    const { id, name, status } = row;
    const { hypervisor, plugTimeout = 300_000 } = this.#options;
    const { store } = this.#options.requests;
    const nics = portsOf(store, row).map(({ id: portId, mac_address: mac, network_id }) => {
      const device = `eth${row.ports.findIndex((port) => port.id === portId)}`;
      return { device, portId, mac, mtu: store.networks.get(network_id)?.mtu ?? 1500 };
    });
    const machine: Machine = { id, name, nics };
    const shape = JSON.stringify(machine);
    if (this.#up.get(id) !== shape) {
      await hypervisor.boot(machine);
      this.#up.set(id, shape);
    }
    const isPlugged = portsOf(store, row).every((port) => port.status === 'ACTIVE');
    if (status === 'BUILD' && !isPlugged) {
      if (this.#timers.has(id)) return;
      const failed = () => this.#fail(id, 'Virtual Interface creation failed');
      this.#timers.set(id, setTimeout(failed, plugTimeout).unref());
      return;
    }
    this.#forget(id);
    this.#change(id, (now) => {
      const isNew = now.power === 'on' && (now.status === 'BUILD' || now.status === 'SHUTOFF');
      return isNew ? { status: 'ACTIVE', launched_at: now.launched_at ?? timestamp() } : undefined;
    });
  }

  #fail(id: string, message: string): void {
    this.#forget(id);
    this.#change(id, (row) =>
      row.status === 'ERROR' ? undefined : { status: 'ERROR', fault: { code: 500, message, created: timestamp() } },
    );
  }

  #forget(id: string): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }

  /** The row may have changed or gone while the machine was worked on. */
  #change(id: string, patchOf: (row: ServerRow) => Partial<ServerRow> | undefined): void {
    this.#options.requests.system(({ store }) => {
      const row = store.servers.get(id);
      const patch = row === undefined ? undefined : patchOf(row);
      if (row !== undefined && patch !== undefined) store.servers.put({ ...row, ...patch, updated_at: timestamp() });
    });
  }
}
