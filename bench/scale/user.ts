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
  /** Changes under way, by router: when the API answered and when it was in force, as far as known. */
  readonly #open = new Map<string, { answered?: number; applied?: number }>();
  #next = 0;

  constructor(cloud: CloudSide, orchestrator: OrchestratorSide) {
    this.#cloud = cloud;
    this.#orchestrator = orchestrator;
    orchestrator.onApplied((router, applied) => this.#note(router, { applied }));
  }

  /** Changes a router every `pause` ms until told to stop, or `most` are changed. */
  async work(pause: number, signal: AbortSignal, most = Number.POSITIVE_INFINITY): Promise<void> {
    const { routers, neutron } = this.#cloud;
    // Spread over all of them; a prime that divides no number of routers anybody asks for, so that none comes twice.
    const stride = 10_007;
    for (let done = 0; done < most && this.#next < routers.length && !signal.aborted; done++) {
      const router = routers[(this.#next++ * stride) % routers.length];
      if (router === undefined) continue;
      this.#open.set(router.id, {});
      const to = this.#cloud.move(router.id);
      this.#orchestrator.tell({ type: 'watch', router: router.id, fixedIp: `10.0.0.${10 + to}` });
      await neutron.floatingips.update(router.floatingIpId, { port_id: router.portIds[to] });
      this.#note(router.id, { answered: now() });
      await sleep(pause);
    }
  }

  /** Resolves when every change made so far is in force. */
  async satisfied(): Promise<void> {
    await waitFor('all changes to be in force', () => this.#open.size === 0, {
      timeout: 120_000,
      interval: 10,
    });
  }

  /** Applied before the answer was here counts as no wait. */
  #note(router: string, time: { readonly answered?: number; readonly applied?: number }): void {
    const change = this.#open.get(router);
    if (change === undefined) return;
    const { answered, applied } = Object.assign(change, time);
    if (answered === undefined || applied === undefined) return;
    this.#open.delete(router);
    this.waits.push(Math.max(0, applied - answered) / 1000);
  }
}
