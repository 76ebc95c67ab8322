import { randomUUID } from 'node:crypto';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Attachment, ResourceKey } from '@astara/model/instance.ts';
import pino from 'pino';
import type { Desired, Driver } from '../drivers/driver.ts';
import { createMetrics } from '../metrics.ts';
import type { Operation } from '../providers/simulated.ts';
import { ManualClock } from '../queue/clock.ts';
import { ScriptedHost } from '../testing/scripted-host.ts';
import { Engine, type EngineOptions } from './engine.ts';

/** What is wanted, said by the test. */
export class FakeDriver implements Driver {
  readonly kind = 'router';
  filled = true;
  readonly wanted = new Map<string, Desired>();
  readonly unknown = new Set<string>();
  readonly applied: { readonly id: string; readonly desired: Desired }[] = [];
  readonly removed: string[] = [];
  reads = 0;

  resources(): readonly ResourceKey[] | undefined {
    return this.filled ? [...this.wanted.keys()].map(routerKey) : undefined;
  }

  desired(id: string): Desired | 'absent' | 'unknown' {
    this.reads++;
    if (!this.filled || this.unknown.has(id)) return 'unknown';
    return this.wanted.get(id) ?? 'absent';
  }

  onApplied(id: string, desired: Desired): void {
    this.applied.push({ id, desired });
    const now = this.wanted.get(id);
    if (now === desired && now.since !== undefined) {
      const { since: _, ...rest } = now;
      this.wanted.set(id, rest);
    }
  }

  onRemoved(id: string): void {
    this.removed.push(id);
  }
}

export function routerKey(id: string): ResourceKey {
  return { kind: 'router', id };
}

export function somePort(): Attachment {
  const port_id = randomUUID();
  return {
    port_id,
    network_id: randomUUID(),
    mac_address: 'fa:16:3e:00:00:01',
    mtu: 1500,
    ifname: `qr-${port_id.slice(0, 11)}`,
    plug: 'bridge',
  };
}

/** An engine over a simulated host and a clock that the test turns. Everything takes the same course every time. */
export class Rig {
  readonly clock = new ManualClock();
  readonly driver = new FakeDriver();
  readonly metrics = createMetrics();
  readonly host: ScriptedHost;
  readonly #options: Partial<EngineOptions>;
  engine: Engine;

  constructor(options: Partial<EngineOptions> & { latency?: Partial<{ [Name in Operation]: number }> } = {}) {
    const { latency, ...rest } = options;
    this.#options = rest;
    this.host = new ScriptedHost(latency ?? {}, this.clock);
    this.engine = this.#start();
  }

  /** As after kill -9: another engine on the same host. */
  restart(): void {
    this.engine = this.#start();
  }

  #start(): Engine {
    return new Engine({
      drivers: [this.driver],
      provider: this.host,
      appliances: this.host,
      metrics: createMetrics(),
      log: pino({ level: 'silent' }),
      clock: this.clock,
      now: this.now,
      ...this.#options,
    });
  }

  readonly now = (): number => 1_700_000_000_000 + Math.floor(this.clock.now());

  /** A router that is wanted, and the engine told of it. */
  want(id: string, config: Partial<ApplianceConfig> = {}, attachments: Attachment[] = []): void {
    this.driver.wanted.set(id, {
      instanceId: id,
      spec: { resource: routerKey(id), attachments },
      config: { hostname: 'r', tenant_id: 'a', networks: [], floating_ips: [], ...config },
      since: this.now(),
    });
  }

  /** Lets `ms` pass, in steps, so that what is awaited in between goes on. */
  async pass(ms: number): Promise<void> {
    await this.#flush();
    for (const end = this.clock.now() + ms; ; ) {
      const next = Math.min(end, this.clock.next ?? end);
      this.clock.advance(Math.max(0, next - this.clock.now()));
      await this.#flush();
      if (this.clock.now() >= end && (this.clock.next ?? Number.POSITIVE_INFINITY) > end) return;
    }
  }

  async #flush(): Promise<void> {
    for (let turn = 0; turn < 60; turn++) await Promise.resolve();
  }
}
