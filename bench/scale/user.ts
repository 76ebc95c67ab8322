import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../../e2e/lib/wait.ts';
import { now } from './messages.ts';
import type { CloudSide, OrchestratorSide } from './side.ts';

/** Somebody who moves floating IPs to another server of theirs, again and again, each on another router. */
export class User {
  /** Seconds from the API's answer until the router's configuration was in force. */
  readonly waits: number[] = [];
  readonly #cloud: CloudSide;
  readonly #orchestrator: OrchestratorSide;
  readonly #seen = new Set<string>();
  readonly #asked = new Set<string>();
  readonly #answered = new Map<string, number>();
  readonly #applied = new Map<string, number>();
  #next = 0;

  constructor(cloud: CloudSide, orchestrator: OrchestratorSide) {
    this.#cloud = cloud;
    this.#orchestrator = orchestrator;
    orchestrator.onApplied((router, at) => {
      if (!this.#asked.delete(router)) return;
      this.#applied.set(router, at);
      this.#settle(router);
    });
  }

  /** Changes a router every `pause` ms until told to stop, or `most` are changed. */
  async work(pause: number, signal: AbortSignal, most = Number.POSITIVE_INFINITY): Promise<void> {
    const { routers, neutron } = this.#cloud;
    // Spread over all of them, and no router twice.
    const stride = Math.max(1, Math.floor(routers.length / 997)) * 2 + 1;
    for (let done = 0; done < most && this.#next < routers.length && !signal.aborted; done++) {
      const router = routers[(this.#next++ * stride) % routers.length];
      if (router === undefined || this.#seen.has(router.id)) continue;
      this.#seen.add(router.id);
      this.#asked.add(router.id);
      const to = this.#cloud.move(router.id);
      this.#orchestrator.tell({ type: 'watch', router: router.id, fixedIp: `10.0.0.${10 + to}` });
      await neutron.floatingips.update(router.floatingIpId, { port_id: router.portIds[to] });
      this.#answered.set(router.id, now());
      this.#settle(router.id);
      await sleep(pause);
    }
  }

  /** Resolves when every change made so far is in force. */
  async satisfied(): Promise<void> {
    await waitFor('all changes to be in force', () => this.#answered.size === 0, {
      timeout: 120_000,
      interval: 10,
    });
  }

  /** Applied before the answer was here counts as no wait. */
  #settle(router: string): void {
    const answered = this.#answered.get(router);
    const applied = this.#applied.get(router);
    if (answered === undefined || applied === undefined) return;
    this.#answered.delete(router);
    this.#applied.delete(router);
    this.waits.push(Math.max(0, applied - answered) / 1000);
  }
}
