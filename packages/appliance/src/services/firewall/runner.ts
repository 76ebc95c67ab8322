import type { Netns } from '@astara/kernel/contract.ts';
import type { Log } from '../../log.ts';
import { type Health, type Known, known, type Runner, type RunnerContext } from '../service.ts';
import { observeFirewall } from './observe.ts';
import type { FirewallState } from './state.ts';

/** A transaction of nft, or addresses whose tracked connections end. */
export type FirewallChange =
  | { readonly kind: 'nft'; readonly script: string }
  | { readonly kind: 'flush'; readonly addresses: readonly string[] };

export class FirewallRunner implements Runner<FirewallState, FirewallChange> {
  readonly #netns: Netns;
  readonly #log: Log;

  constructor({ home, log }: RunnerContext) {
    this.#netns = home.netns;
    this.#log = log;
  }

  async adopt(): Promise<void> {}

  async observe(): Promise<Known<FirewallState>> {
    return known(await observeFirewall(this.#netns));
  }

  async execute(change: FirewallChange): Promise<void> {
    if (change.kind === 'nft') return this.#netns.nft(change.script);
    let ended = 0;
    for (const address of change.addresses) ended += await this.#netns.flushConntrack(address);
    this.#log.info({ addresses: change.addresses.length, connections: ended }, 'connections ended');
  }

  async health(): Promise<Health> {
    return { wanted: true, running: true };
  }

  async release(): Promise<void> {}
}
