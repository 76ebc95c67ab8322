import { openKernel } from '@astara/kernel/open.ts';
import { type Spread, spread } from '../lib/report.ts';
import { fixed, floating } from './router.ts';

/**
 * What the kernel itself needs, with nothing but the elements and addresses in as few calls as possible: the floor that no
 * appliance can be under. ms
 */
export interface Floor {
  /** So many floating IPs at once: addresses in one batch, two maps in one transaction. */
  readonly full: Spread;
  /** One more. */
  readonly one: Spread;
}

export async function floor(count: number, repeat: number): Promise<Floor> {
  const kernel = await openKernel('netlink');
  const name = `at-bench-${process.pid}`;
  const full: number[] = [];
  const one: number[] = [];
  for (let round = 0; round < repeat; round += 1) {
    await kernel.createNetns(name);
    const netns = await kernel.open(name);
    try {
      await netns.change([
        { op: 'veth-add', name: 'qg', mtu: 1500, peer: { name: 'qr', netns: null, mac: '02:00:00:00:00:01' } },
      ]);
      await netns.nft(`table ip t {
        map fip_in { type ipv4_addr : ipv4_addr; }
        map fip_out { type ipv4_addr : ipv4_addr; }
      }`);
      const indexes = Array.from({ length: count }, (_, index) => index);
      const elements = (of: readonly number[]) =>
        `add element ip t fip_in { ${of.map((index) => `${floating(index)} : ${fixed(index)}`).join(', ')} }\n` +
        `add element ip t fip_out { ${of.map((index) => `${fixed(index)} : ${floating(index)}`).join(', ')} }\n`;
      const addresses = (of: readonly number[]) =>
        of.map((index) => ({ op: 'address-add' as const, ifname: 'qg', cidr: `${floating(index)}/32` }));
      const add = async (of: readonly number[]) => {
        const [operations, script] = [addresses(of), elements(of)];
        const begun = performance.now();
        await netns.change(operations);
        await netns.nft(script);
        return performance.now() - begun;
      };
      if (count > 0) full.push(await add(indexes));
      for (let more = 0; more < 5; more += 1) one.push(await add([count + more]));
    } finally {
      netns.close();
      await kernel.deleteNetns(name);
    }
  }
  return { full: spread(full), one: spread(one) };
}
