import type { Netns } from '@astara/kernel/contract.ts';
import { KernelError } from '@astara/kernel/errors.ts';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Home } from '../../home.ts';
import type { Log } from '../../log.ts';
import { type Ended, endedFlows } from '../conntrack/plan.ts';
import { type Check, type Health, type Known, known, type Runner, type RunnerContext } from '../service.ts';
import { type AddressCounters, type LabelCounters, readAddressCounters, readLabelCounters } from './counters.ts';
import { observeFirewall } from './observe.ts';
import { planScript } from './plan.ts';
import { SHAPE } from './render.ts';
import type { FirewallState } from './state.ts';

/** A transaction of nft, one that a kernel may be unable to do, or tracked connections that end. */
export type FirewallChange =
  | { readonly kind: 'nft'; readonly script: string }
  | { readonly kind: 'offload'; readonly script: string; readonly devices: readonly string[] }
  | { readonly kind: 'flush'; readonly ended: Ended };

export class FirewallRunner implements Runner<FirewallState, FirewallChange> {
  readonly #home: Home;
  readonly #netns: Netns;
  readonly #log: Log;
  /** What the kernel said when it was asked for a flowtable that it cannot make. */
  #withoutOffload: string | undefined;

  constructor({ home, log }: RunnerContext) {
    this.#home = home;
    this.#netns = home.netns;
    this.#log = log;
  }

  async adopt(): Promise<void> {}

  async observe(wanted: FirewallState): Promise<Known<FirewallState>> {
    const found = await observeFirewall(this.#netns);
    // What cannot be had is not missed.
    return known(this.#withoutOffload === undefined ? found : { ...found, offload: wanted.offload });
  }

  async execute(change: FirewallChange): Promise<void> {
    switch (change.kind) {
      case 'nft':
        return this.#netns.nft(change.script);
      case 'offload':
        return this.#offload(change.script);
      case 'flush': {
        const connections = await this.#netns.endConnections(endedFlows(change.ended));
        if (connections > 0) this.#log.info({ connections }, 'connections ended');
      }
    }
  }

  async health(state: FirewallState | undefined): Promise<Health> {
    const there = (await this.#netns.nftList(`set inet astara ${SHAPE}`)) !== undefined;
    const refused = (state?.offload.length ?? 0) > 0 ? this.#withoutOffload : undefined;
    return {
      wanted: true,
      running: there,
      ...(there ? {} : { error: 'the table inet astara is gone' }),
      ...(refused === undefined ? {} : { detail: { flow_offload: `not supported by the kernel: ${refused}` } }),
    };
  }

  /** One listing; 10,000 floating IPs take about 100 ms, most of it on another thread. */
  async check(state: FirewallState): Promise<readonly Check[]> {
    const found = await observeFirewall(this.#netns);
    const script = planScript(found, state);
    const name = 'the kernel holds the rules and elements that were asked for';
    if (script === '') return [{ name, ok: true }];
    const detail = found.table ? `${script.trimEnd().split('\n').length} commands away` : 'the table is not ours';
    return [{ name, ok: false, detail }];
  }

  /** What was exchanged with the prefixes of each label since the last reset. */
  async labels(config: ApplianceConfig, { reset }: { readonly reset: boolean }): Promise<LabelCounters[]> {
    return readLabelCounters(this.#home, config, reset);
  }

  /** By external address: what was forwarded to it from outside and from it; addresses without traffic are left out. */
  async addresses(): Promise<ReadonlyMap<string, AddressCounters>> {
    return readAddressCounters(this.#netns);
  }

  async release(): Promise<void> {}

  async #offload(script: string): Promise<void> {
    if (script === '' || this.#withoutOffload !== undefined) return;
    try {
      await this.#netns.nft(script);
    } catch (error) {
      // ENOENT: no nf_flow_table in this kernel; EOPNOTSUPP: none for this kind of interface.
      if (!(error instanceof KernelError) || !['ENOENT', 'EOPNOTSUPP'].includes(error.errno)) throw error;
      this.#withoutOffload = error.errno;
      this.#log.warn({ err: error }, 'the kernel has no flowtables: connections are not offloaded');
    }
  }
}
