/** Who answers on a segment, for whom we answer, and who can be reached. */
import { expect, test } from 'vitest';
import type { Subject } from '../conformance.ts';
import { inNetns, ipJson, MAC, until } from './world.ts';

const within = (ms: number) => AbortSignal.timeout(ms);

export function neighbourTests(subject: Subject): void {
  for (const [address, absent] of [
    ['192.0.2.2', '192.0.2.99'],
    ['2001:db8::2', '2001:db8::99'],
  ] as const) {
    test(`${address} is asked for its MAC, also when it is known, and when asking it has failed`, async () => {
      const { here, there } = await subject.world.pair({ dad: false });
      expect(await here.resolve('here', address, within(3_000))).toBe(MAC.there);
      // Gone without a trace: what is known about it does not count.
      await there.change([{ op: 'link-set', ifname: 'there', up: false }]);
      expect(await here.resolve('here', address, within(300))).toBeUndefined();
      await there.change([{ op: 'link-set', ifname: 'there', up: true }]);
      if (address.includes(':')) await there.change([{ op: 'address-add', ifname: 'there', cidr: `${address}/64` }]);
      await inNetns(here.name, 'ip', 'neigh', 'replace', address, 'dev', 'here', 'nud', 'failed');
      expect(await here.resolve('here', address, within(3_000))).toBe(MAC.there);
      // What is remembered and no longer true is no answer.
      await inNetns(
        here.name,
        'ip',
        'neigh',
        'replace',
        address,
        'lladdr',
        '02:00:00:00:00:99',
        'dev',
        'here',
        'nud',
        'stale',
      );
      expect(await here.resolve('here', address, within(300))).toBeUndefined();
    });

    test(`${absent} does not answer`, async () => {
      const { here } = await subject.world.pair({ dad: false });
      const start = performance.now();
      expect(await here.resolve('here', absent, within(200))).toBeUndefined();
      expect(performance.now() - start).toBeLessThan(1_500);
    });

    test(`a MAC set by hand for ${absent} is taken as it is`, async () => {
      const { here } = await subject.world.pair({ dad: false });
      const by = ['lladdr', '02:00:00:00:00:77', 'dev', 'here', 'nud', 'permanent'];
      await inNetns(here.name, 'ip', 'neigh', 'replace', absent, ...by);
      expect(await here.resolve('here', absent, within(500))).toBe('02:00:00:00:00:77');
      const [entry] = await ipJson<{ state: string[] }>(here.name, 'neigh', 'show', absent);
      expect(entry?.state).toEqual(['PERMANENT']);
    });

    test(`${address} is pinged; ${absent} is not, in time`, async () => {
      const { here } = await subject.world.pair({ dad: false });
      expect(await here.ping(address, within(3_000))).toBeLessThan(3_000);
      const many = await Promise.all(Array.from({ length: 8 }, () => here.ping(address, within(3_000))));
      expect(many.every((ms) => ms !== undefined && ms > 0)).toBe(true);
      const start = performance.now();
      expect(await here.ping(absent, within(200))).toBeUndefined();
      expect(performance.now() - start).toBeLessThan(1_500);
    });

    test(`TCP to ${address} is accepted, refused, or not answered`, async () => {
      const { here, there } = await subject.world.pair({ dad: false });
      const family = address.includes(':') ? 6 : 4;
      subject.world.start(there.name, 'socat', `TCP${family}-LISTEN:7,fork,reuseaddr`, 'EXEC:cat');
      await until('it listens', async () => (await inNetns(there.name, 'ss', '-Hltn', `-${family}`)).includes(':7 '));
      expect(await here.connectTcp(address, 7, within(3_000))).toBeLessThan(3_000);
      await expect(here.connectTcp(address, 8, within(3_000))).rejects.toMatchObject({ errno: 'ECONNREFUSED' });
      expect(await here.connectTcp(absent, 7, within(200))).toBeUndefined();
    });
  }

  test('where there is no way, or no interface, it is said', async () => {
    const { here } = await subject.world.pair({ dad: false });
    for (const address of ['203.0.113.1', '2001:db8:ffff::1']) {
      await expect(here.ping(address, within(500))).rejects.toMatchObject({ errno: 'ENETUNREACH' });
      await expect(here.connectTcp(address, 7, within(500))).rejects.toMatchObject({ errno: 'ENETUNREACH' });
    }
    await expect(here.resolve('no-such', '192.0.2.2', within(500))).rejects.toMatchObject({ errno: 'ENODEV' });
    await expect(here.resolve('here', 'no address', within(500))).rejects.toMatchObject({ code: 'KERNEL_BAD_INPUT' });
    await expect(here.ping('-f', within(500))).rejects.toMatchObject({ code: 'KERNEL_BAD_INPUT' });
    await expect(here.connectTcp('192.0.2.2', 70_000, within(500))).rejects.toMatchObject({ code: 'KERNEL_BAD_INPUT' });
  });

  test('a proxy answers for others, and no longer', async () => {
    const { here, there } = await subject.world.pair({ dad: false });
    await here.sysctl({
      'net/ipv4/ip_forward': '1',
      'net/ipv6/conf/all/forwarding': '1',
      'net/ipv6/conf/here/proxy_ndp': '1',
      'net/ipv4/neigh/here/proxy_delay': '0',
      'net/ipv6/neigh/here/proxy_delay': '0',
    });
    // Behind us, which the kernel wants to know.
    const behind = [
      ['192.0.2.77', '192.0.2.77/32'],
      ['2001:db8::77', '2001:db8::77/128'],
    ] as const;
    await here.change([
      { op: 'veth-add', name: 'in', mtu: 1500, peer: { name: 'out', netns: null, mac: '02:00:00:00:00:01' } },
      { op: 'link-set', ifname: 'in', up: true },
      { op: 'link-set', ifname: 'out', up: true },
      ...behind.map(([, destination]) => ({ op: 'route-replace', destination, ifname: 'in' }) as const),
    ]);
    const add = behind.map(([address]) => ({ op: 'proxy-add', ifname: 'here', address }) as const);
    await here.change([...add, ...add]);
    expect(await here.proxies()).toEqual(behind.map(([address]) => ({ ifname: 'here', address })));
    for (const [address] of behind) {
      await until(`${address} is answered for`, async () => {
        return (await there.resolve('there', address, within(1_000))) === MAC.here;
      });
    }
    const remove = behind.map(([address]) => ({ op: 'proxy-delete', ifname: 'here', address }) as const);
    await here.change([...remove, ...remove, { op: 'proxy-delete', ifname: 'no-such', address: '192.0.2.77' }]);
    expect(await here.proxies()).toEqual([]);
    for (const [address] of behind) expect(await there.resolve('there', address, within(300))).toBeUndefined();
  });

  test('sysctls are read in the namespace, those that do not exist left out', async () => {
    const netns = await subject.world.netns();
    await netns.sysctl({ 'net/ipv4/ip_default_ttl': '77' });
    const keys = ['net/ipv4/ip_default_ttl', 'net/ipv4/conf/no-such/rp_filter', 'net/ipv4/ip_local_port_range'];
    expect(await netns.readSysctl(keys)).toEqual({
      'net/ipv4/ip_default_ttl': '77',
      'net/ipv4/ip_local_port_range': '32768\t60999',
    });
    const many = Array.from({ length: 300 }, (_, index) => `net/ipv4/conf/no-such-${index}/rp_filter`);
    expect(await netns.readSysctl([...many, 'net/ipv4/ip_default_ttl'])).toEqual({ 'net/ipv4/ip_default_ttl': '77' });
    expect(await netns.readSysctl([])).toEqual({});
    await expect(netns.readSysctl(['kernel/hostname'])).rejects.toMatchObject({ code: 'KERNEL_BAD_INPUT' });
  });
}
