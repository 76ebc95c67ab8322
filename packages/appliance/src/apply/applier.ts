import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { etagOf } from '@astara/model/appliance/etag.ts';
import { errors } from '../errors.ts';
import type { Home } from '../home.ts';
import type { Log } from '../log.ts';
import type { Check, Health, Runner, RunnerContext } from '../services/service.ts';
import { plan, type Step } from './plan.ts';
import { type AnyService, compile, type Found, foundOf, type State, warningsOf } from './state.ts';
import { type DoneStep, elapsed, transact } from './transaction.ts';

export interface ApplierOptions {
  readonly home: Home;
  readonly services: readonly AnyService[];
  readonly log: Log;
  readonly context: (service: string) => RunnerContext;
}

export interface Applied {
  readonly etag: string;
  /** Empty when everything was in force already. */
  readonly steps: readonly DoneStep[];
  /** Milliseconds. */
  readonly ms: number;
  readonly warnings: readonly string[];
}

/**
 * Knows what its home has in force, and leads it from there to a configuration in one transaction. Calls must not overlap, but for
 * {@link health} and {@link check}.
 */
export class Applier {
  readonly #home: Home;
  readonly #services: readonly AnyService[];
  readonly #runners: ReadonlyMap<string, Runner<unknown, unknown>>;
  readonly #log: Log;
  /** What is in force; undefined before the first configuration. */
  #state: State | undefined;
  /** The interfaces, by name and index, of which {@link #state} is known to be true; undefined: look before the next step. */
  #trusted: string | undefined;

  constructor({ home, services, log, context }: ApplierOptions) {
    this.#home = home;
    this.#services = services;
    this.#log = log;
    this.#runners = new Map(services.map((service) => [service.name, service.open(context(service.name))]));
  }

  runner(name: string): Runner<unknown, unknown> | undefined {
    return this.#runners.get(name);
  }

  /** Takes over what an earlier process left behind; without a configuration everything is dropped. */
  async adopt(config: ApplianceConfig | undefined): Promise<void> {
    if (config !== undefined) this.#state = compile(this.#services, config, this.#home.runDirInside);
    for (const [name, runner] of this.#runners) await runner.adopt(this.#state?.parts.get(name)?.value);
    if (this.#state !== undefined) return;
    const initial = this.#services.filter(({ initial }) => initial !== undefined);
    const parts = new Map(initial.map(({ name, initial }) => [name, { value: initial, warnings: [] }]));
    const steps = plan(initial, await this.#observe(initial, { parts, digests: {} }), { parts, digests: {} });
    await transact(steps, this.#runners, () => undefined);
  }

  /** `commit` is called when everything is in force, and undoes everything by throwing. */
  async apply(config: ApplianceConfig, commit: (etag: string) => void): Promise<Applied> {
    const start = performance.now();
    const after = compile(this.#services, config, this.#home.runDirInside, this.#state);
    const interfaces = await this.#interfaces(config);
    const steps = plan(this.#services, await this.#before(after, interfaces), after);
    const etag = etagOf(after.digests);
    this.#trusted = undefined; // until it is done
    const done = await transact(steps, this.#runners, () => commit(etag));
    this.#state = after;
    this.#trusted = interfaces;
    return { etag, steps: done, ms: elapsed(start), warnings: warningsOf(after) };
  }

  /** What {@link apply} would do now. */
  async dryRun(
    config: ApplianceConfig,
  ): Promise<{ etag: string; steps: readonly Step[]; warnings: readonly string[] }> {
    const after = compile(this.#services, config, this.#home.runDirInside, this.#state);
    const before = await this.#before(after, await this.#interfaces(config));
    return { etag: etagOf(after.digests), steps: plan(this.#services, before, after), warnings: warningsOf(after) };
  }

  /** What would have to be done for the world to be as it is believed to be; of services that can be looked at. */
  async drift(): Promise<readonly Step[]> {
    const state = this.#state;
    if (state === undefined) return [];
    const found = await this.#observe(this.#services, state);
    const visible = this.#services.filter(({ name }) => found.get(name)?.unknown === false);
    return plan(visible, found, state);
  }

  /** The next step is preceded by a look at what is there. */
  distrust(): void {
    this.#trusted = undefined;
  }

  /** Starts again what has ended by itself. */
  async revive(service: string): Promise<void> {
    if (this.#state === undefined) return;
    this.#log.warn({ service }, 'daemon ended, starting it again');
    await this.#runners.get(service)?.revive?.(this.#state.parts.get(service)?.value);
  }

  async health(): Promise<ReadonlyMap<string, Health>> {
    const state = this.#state;
    const all = [...this.#runners].map(async ([name, runner]) => {
      return [name, await runner.health(state?.parts.get(name)?.value)] as const;
    });
    return new Map(await Promise.all(all));
  }

  /** Whether the world does what is asked, service by service. One whose check fails has failed. */
  async check(signal: AbortSignal): Promise<readonly (Check & { readonly service: string })[]> {
    const state = this.#state;
    if (state === undefined) return [];
    const all = [...this.#runners].map(async ([service, runner]) => {
      try {
        const checks = (await runner.check?.(state.parts.get(service)?.value, signal)) ?? [];
        return checks.map((check) => ({ service, ...check }));
      } catch (error) {
        return [
          { service, name: 'self-check', ok: false, detail: error instanceof Error ? error.message : String(error) },
        ];
      }
    });
    return (await Promise.all(all)).flat();
  }

  async release(): Promise<void> {
    for (const runner of this.#runners.values()) await runner.release();
  }

  /** The interfaces of a configuration by name and index: an interface that was made anew has lost what it had. */
  async #interfaces(config: ApplianceConfig): Promise<string> {
    const links = new Map((await this.#home.netns.links()).map((link) => [link.ifname, link.index]));
    return config.networks
      .map(({ interface: { ifname } }) => {
        const index = links.get(ifname);
        if (index === undefined) throw errors.make('APPLIANCE_INTERFACE_MISSING', { ifname });
        return `${ifname}=${index}`;
      })
      .join(' ');
  }

  /** What is in force, as far as it is certain; otherwise as the kernel says. */
  async #before(after: State, interfaces: string): Promise<Found> {
    const former = this.#state;
    if (former === undefined || this.#trusted === undefined) return this.#observe(this.#services, after);
    const trusted = this.#trusted.split(' ');
    const names = new Set(trusted.map(nameOf));
    // A new interface has nothing, so that only one that was there before can surprise.
    const surprise = interfaces.split(' ').some((entry) => !trusted.includes(entry) && names.has(nameOf(entry)));
    return surprise ? this.#observe(this.#services, after) : foundOf(former);
  }

  async #observe(services: readonly AnyService[], wanted: State): Promise<Found> {
    const found = services.map(async ({ name }) => {
      const former = this.#state?.parts.get(name)?.value;
      const seen = await this.#runners.get(name)?.observe(wanted.parts.get(name)?.value, former);
      return [name, seen ?? { unknown: true as const }] as const;
    });
    return new Map(await Promise.all(found));
  }
}

function nameOf(entry: string): string {
  return entry.slice(0, entry.lastIndexOf('='));
}
