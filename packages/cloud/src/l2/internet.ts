import { createHash } from 'node:crypto';
import type { Kernel, Netns, NetOperation } from '@astara/kernel/contract.ts';
import { parseCidr } from '@astara/model/ip.ts';
import { cloudErrors } from '../errors.ts';
import type { NetworkRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { aliased, ip, ipBatch } from './ip.ts';
import { legName } from './names.ts';

export interface InternetOptions {
  /** Name of the namespace. */
  readonly netns: string;
  /** What answers in the internet, in CIDR form. */
  readonly addresses: readonly string[];
}

/**
 * A namespace that stands for the internet: it has a leg in every external network, with the gateway addresses of its subnets,
 * forwards between them, and answers on a few addresses of its own. Routes to tenants' addresses it has none.
 */
export class Internet {
  readonly #kernel: Kernel;
  readonly #store: Store;
  readonly #host: Netns;
  readonly #tag: string;
  readonly #options: InternetOptions;
  #inside: Netns | undefined;

  /** `host` is where the other ends of the legs go; what is made carries `tag` as its alias. */
  constructor(kernel: Kernel, store: Store, host: Netns, tag: string, options: InternetOptions) {
    this.#kernel = kernel;
    this.#store = store;
    this.#host = host;
    this.#tag = tag;
    this.#options = options;
  }

  /** Makes the namespace or adopts it. Rejects with CLOUD_NOT_OURS when somebody else made it. */
  async start(): Promise<void> {
    const { netns, addresses } = this.#options;
    if (!(await this.#kernel.listNetns()).includes(netns)) {
      await this.#kernel.createNetns(netns);
      await ip(netns, ['link', 'set', 'dev', 'lo', 'alias', this.#tag]);
    } else if (!(await this.#isOurs())) throw cloudErrors.make('CLOUD_NOT_OURS', { netns });
    this.#inside = await this.#kernel.open(netns);
    await this.#inside.sysctl({ 'net/ipv4/ip_forward': '1', 'net/ipv6/conf/all/forwarding': '1' });
    await this.#inside.change(addresses.map((cidr) => ({ op: 'address-add', ifname: 'lo', cidr })));
  }

  /** Makes the missing legs of these networks, with their addresses, and brings addresses up to date. */
  async reconcile(networks: readonly NetworkRow[]): Promise<void> {
    const inside = this.#inside;
    if (inside === undefined) return;
    const legs = new Set((await inside.links()).map(({ ifname }) => ifname));
    for (const { id, mtu } of networks) {
      if (legs.has(legName(id))) continue;
      const peer = { name: legName(id), netns: this.#options.netns, mac: macOf(id) };
      await this.#host.change([{ op: 'veth-add', name: legName(id), mtu, peer }]);
      await ipBatch(this.#host.name, [`link set dev ${legName(id)} alias ${this.#tag}`]);
      await inside.change([{ op: 'link-set', ifname: legName(id), up: true }]);
    }
    const present = await inside.addresses();
    await inside.change(networks.flatMap((network) => this.#addressing(network, present)));
  }

  close(): void {
    this.#inside?.close();
    this.#inside = undefined;
  }

  async remove(): Promise<void> {
    this.close();
    const { netns } = this.#options;
    if ((await this.#kernel.listNetns()).includes(netns) && (await this.#isOurs()))
      await this.#kernel.deleteNetns(netns);
  }

  async #isOurs(): Promise<boolean> {
    return (await aliased(this.#options.netns, this.#tag)).includes('lo');
  }

  #addressing(
    network: NetworkRow,
    present: readonly { ifname: string; cidr: string; permanent: boolean }[],
  ): NetOperation[] {
    const ifname = legName(network.id);
    const gateways = this.#store.subnets.by('network', network.id).flatMap(({ gateway_ip, cidr }) => {
      const prefix = parseCidr(cidr)?.prefix;
      return gateway_ip === null || prefix === undefined ? [] : [`${gateway_ip}/${prefix}`];
    });
    const had = present.filter((address) => address.ifname === ifname && address.permanent).map(({ cidr }) => cidr);
    return [
      ...had
        .filter((cidr) => !gateways.includes(cidr))
        .map((cidr) => ({ op: 'address-delete', ifname, cidr }) as const),
      ...gateways.filter((cidr) => !had.includes(cidr)).map((cidr) => ({ op: 'address-add', ifname, cidr }) as const),
    ];
  }
}

/** The same for the same network, so that neighbours' caches stay right when the leg is made again. */
function macOf(networkId: string): string {
  const digest = createHash('sha256').update(networkId).digest('hex').slice(0, 10);
  return `0a:${digest.match(/../g)?.join(':')}`;
}
