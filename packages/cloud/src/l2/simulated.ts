import type { Requests } from '../api/requests.ts';
import type { PortRow } from '../store/rows.ts';
import { report } from './report.ts';
import type { Wiring } from './wiring.ts';

/** No devices: every port that is bound, whatever its host, is wired as soon as it is there. */
export class SimulatedWiring implements Wiring {
  readonly #requests: Requests;
  readonly #changed = new Set<string>();
  #running = false;

  constructor(requests: Requests) {
    this.#requests = requests;
    requests.store.onCommit((changes) => {
      if (!this.#running) return;
      const first = this.#changed.size === 0;
      for (const { table, after } of changes) if (table === 'ports' && after !== undefined) this.#changed.add(after.id);
      // Listeners may not change rows.
      if (first && this.#changed.size > 0) setImmediate(() => this.#reportChanged());
    });
  }

  async start(): Promise<void> {
    this.#running = true;
    await this.reconcile();
  }

  async reconcile(): Promise<void> {
    report(this.#requests, this.#requests.store.ports.all(), isWired);
  }

  async leave(): Promise<void> {
    this.#running = false;
  }

  stop(): Promise<void> {
    return this.leave();
  }

  #reportChanged(): void {
    const ids = [...this.#changed];
    this.#changed.clear();
    if (!this.#running) return;
    const ports = ids.map((id) => this.#requests.store.ports.get(id)).filter((port) => port !== undefined);
    report(this.#requests, ports, isWired);
  }
}

/** An unbound port waits for nothing. */
const isWired = (port: PortRow) => (port.host_id === '' ? !port.provisioning.includes('L2') : port.admin_state_up);
