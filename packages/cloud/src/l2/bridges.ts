import type { Kernel, Netns } from '@astara/kernel/contract.ts';
import { tapName } from '@astara/model/instance.ts';
import type { Logger } from 'pino';
import type { Requests } from '../api/requests.ts';
import type { NetworkRow, PortRow } from '../store/rows.ts';
import { Internet, type InternetOptions } from './internet.ts';
import { aliased, ipBatch } from './ip.ts';
import { LinkMonitor } from './link-monitor.ts';
import { bridgeName, legName } from './names.ts';
import { lines, plan, type Step, type Wanted, type Wire } from './plan.ts';
import { report } from './report.ts';
import type { Wiring } from './wiring.ts';

export interface BridgesOptions {
  readonly kernel: Kernel;
  readonly requests: Requests;
  readonly log: Logger;
  /** Ports bound to this host are ours. */
  readonly host: string;
  /** Without it, external networks end at their bridges. */
  readonly internet?: InternetOptions;
  /** Namespace in which the host's devices are; null (default): our own. */
  readonly netns?: string | null;
  /** Alias of the devices that we make: what carries it is ours to remove. */
  readonly tag?: string;
}

/** Milliseconds between two looks at the devices when nobody tells of changes, and when somebody does. */
const POLL = { blind: 500, watched: 5_000 } as const;

/** A look, a change, a look that finds nothing to do; one more each for what appears meanwhile. */
const ROUNDS = 4;

const TABLES: ReadonlySet<string> = new Set(['networks', 'subnets', 'ports']);

/**
 * Linux bridges of one host: `brq…` for each network that has ports here and for each external one. The tap of a port, whoever makes
 * it, is put into its network's bridge, gets its MTU and is brought up; then the port is reported. Level-triggered: what is there
 * at the start is adopted, and the order of events does not matter.
 *
 * Anti-spoofing and security groups are not enforced: everything that is wired may send and receive anything.
 */
export class Bridges implements Wiring {
  readonly #options: BridgesOptions;
  readonly #netns: string | null;
  readonly #tag: string;
  readonly #owned = new Set<string>();
  #host: Netns | undefined;
  #internet: Internet | undefined;
  #monitor: LinkMonitor | undefined;
  #poll: NodeJS.Timeout | undefined;
  #working: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  constructor(options: BridgesOptions) {
    this.#options = options;
    this.#netns = options.netns ?? null;
    this.#tag = options.tag ?? 'astara-cloud';
    options.requests.store.onCommit((changes) => {
      if (changes.some(({ table }) => TABLES.has(table))) this.#trigger();
    });
  }

  async start(): Promise<void> {
    const { kernel, requests, internet } = this.#options;
    const host = await kernel.open(this.#netns);
    this.#host = host;
    for (const ifname of await aliased(this.#netns, this.#tag)) this.#owned.add(ifname);
    if (internet !== undefined) {
      this.#internet = new Internet(kernel, requests.store, host, this.#tag, internet);
      await this.#internet.start();
    }
    this.#monitor = new LinkMonitor(this.#netns, () => this.#trigger());
    this.#schedule();
    await this.reconcile();
  }

  /** Calls that come while one is at work share one that follows. */
  reconcile(): Promise<void> {
    this.#again = true;
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
    return this.#working;
  }

  async leave(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#poll);
    this.#monitor?.stop();
    await this.#working?.catch(() => undefined); // whoever asked for it was told
    this.#internet?.close();
    this.#host?.close();
    this.#host = undefined;
  }

  async stop(): Promise<void> {
    await this.leave();
    const ours = await aliased(this.#netns, this.#tag);
    // The second end of a veth pair goes with the first.
    await ipBatch(
      this.#netns,
      ours.map((ifname) => `link delete dev ${ifname}`),
    );
    await this.#internet?.remove();
  }

  async #work(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false;
      await this.#converge();
    }
  }

  async #converge(): Promise<void> {
    const { requests, host: name } = this.#options;
    const { store } = requests;
    const host = this.#host;
    if (host === undefined) return;
    const external = this.#internet === undefined ? [] : store.networks.all().filter((network) => network.external);
    // The internet's failure must not keep tenants' ports waiting.
    const unreachable = await failureOf(this.#internet?.reconcile(external));
    for (const { id } of external) this.#owned.add(legName(id));
    let failure: unknown;
    for (let round = 1; ; round += 1) {
      const ports = store.ports.by('host', name);
      const { steps, wired } = plan(this.#wanted(ports, external), await host.links(), this.#owned);
      if (steps.length === 0 || round === ROUNDS) {
        // A tap may go at any moment: if that was what failed, nothing is left to do now.
        if (steps.length === 0) failure = unreachable;
        report(requests, ports, ({ id }) => wired.has(tapName(id)));
        break;
      }
      failure = await failureOf(this.#change(host, steps));
    }
    if (failure !== undefined) throw failure;
  }

  async #change(host: Netns, steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      if (step.do === 'add-bridge') this.#owned.add(step.bridge);
      // A bridge that listens to router advertisements would give the host an address in the tenant's network.
      if (step.do === 'set-bridge') await host.sysctl({ [`net/ipv6/conf/${step.bridge}/disable_ipv6`]: '1' });
    }
    await ipBatch(
      this.#netns,
      steps.flatMap((step) => lines(step, this.#tag)),
    );
  }

  #wanted(ports: readonly PortRow[], external: readonly NetworkRow[]): Wanted {
    const bridges = new Map<string, number>();
    const wires: Wire[] = [];
    const add = ({ id, mtu }: NetworkRow, ifname: string, up: boolean) => {
      bridges.set(bridgeName(id), mtu);
      wires.push({ ifname, bridge: bridgeName(id), mtu, up });
    };
    for (const network of external) add(network, legName(network.id), true);
    for (const port of ports) {
      const network = this.#options.requests.store.networks.get(port.network_id);
      if (network !== undefined) add(network, tapName(port.id), port.admin_state_up);
    }
    return { bridges, wires };
  }

  #trigger(): void {
    if (this.#stopped || this.#host === undefined) return;
    this.reconcile().catch((error: unknown) => this.#options.log.warn({ err: error }, 'ports are not wired'));
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#poll = setTimeout(
      () => {
        this.#trigger();
        this.#schedule();
      },
      this.#monitor?.alive ? POLL.watched : POLL.blind,
    );
  }
}

async function failureOf(work: Promise<void> | undefined): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
}
