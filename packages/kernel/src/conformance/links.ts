import { expect, test } from 'vitest';
import type { Subject } from '../conformance.ts';
import { ROUTE_PROTOCOL } from '../contract.ts';
import { inNetns, ipJson, MAC, until } from './world.ts';

interface IpLink {
  readonly ifname: string;
  readonly mtu: number;
  readonly address: string;
  readonly flags: string[];
}

interface IpAddresses {
  readonly addr_info: { local: string; prefixlen: number; nodad?: boolean; tentative?: boolean; scope: string }[];
}

export function linkTests(subject: Subject): void {
  test('a veth pair is born with its names, MTU and MAC, in two namespaces', async () => {
    const [a, b] = [await subject.world.netns(), await subject.world.netns()];
    await a.change([
      { op: 'veth-add', name: 'qr-1', mtu: 1442, peer: { name: 'tap1', netns: b.name, mac: MAC.there } },
    ]);
    expect(await ipJson<IpLink>(a.name, 'link', 'show', 'qr-1')).toMatchObject([{ mtu: 1442 }]);
    expect(await ipJson<IpLink>(b.name, 'link', 'show', 'tap1')).toMatchObject([{ mtu: 1442, address: MAC.there }]);
    const [lo, tap] = await b.links();
    expect(lo).toMatchObject({ index: 1, ifname: 'lo', up: true, running: true });
    expect(tap).toMatchObject({ ifname: 'tap1', mac: MAC.there, mtu: 1442, up: false, running: false, kind: 'veth' });
    await b.change([{ op: 'link-set', ifname: 'tap1', up: true }]);
    expect((await b.links())[1]).toMatchObject({ up: true, running: false });
    await a.change([{ op: 'link-set', ifname: 'qr-1', up: true, mtu: 1400, mac: MAC.here }]);
    // The kernel follows the carrier in its own time.
    await until('the peer runs', async () => (await b.links())[1]?.running);
    expect(await ipJson<IpLink>(a.name, 'link', 'show', 'qr-1')).toMatchObject([{ mtu: 1400, address: MAC.here }]);
    await a.change([{ op: 'link-set', ifname: 'qr-1', up: false }]);
    expect((await a.links())[1]).toMatchObject({ up: false, mtu: 1400, mac: MAC.here });
  });

  test('a veth that exists is an error; deleting a link twice is none', async () => {
    const { here, there } = await subject.world.pair();
    const again = { op: 'veth-add', name: 'here', mtu: 1500, peer: { name: 'x', netns: null, mac: MAC.here } } as const;
    await expect(here.change([again])).rejects.toMatchObject({
      code: 'KERNEL_EXISTS',
      errno: 'EEXIST',
      operation: 'veth-add',
    });
    await here.change([
      { op: 'link-delete', ifname: 'here' },
      { op: 'link-delete', ifname: 'here' },
    ]);
    expect((await there.links()).map(({ ifname }) => ifname)).toEqual(['lo']);
    await here.change([again, { op: 'address-add', ifname: 'here', cidr: '192.0.2.1/24' }]);
    expect((await here.addresses()).map(({ cidr }) => cidr)).toContain('192.0.2.1/24');
  });

  test('a link that is deleted and made again in one change', async () => {
    const { here } = await subject.world.pair();
    await here.change([
      { op: 'address-add', ifname: 'here', cidr: '10.0.0.1/24' },
      { op: 'link-delete', ifname: 'here' },
      { op: 'veth-add', name: 'here', mtu: 1500, peer: { name: 'peer', netns: null, mac: MAC.there } },
      { op: 'address-add', ifname: 'here', cidr: '10.0.0.2/24' },
    ]);
    const cidrs = (await here.addresses()).filter(({ ifname }) => ifname === 'here').map(({ cidr }) => cidr);
    expect(cidrs).toEqual(['10.0.0.2/24']);
  });

  test('a bridge and its port, made by others, are listed', async () => {
    const { here } = await subject.world.pair();
    await inNetns(here.name, 'ip', 'link', 'add', 'br0', 'type', 'bridge');
    await inNetns(here.name, 'ip', 'link', 'set', 'here', 'master', 'br0');
    const links = await here.links();
    const bridge = links.find(({ ifname }) => ifname === 'br0');
    expect(bridge?.kind).toBe('bridge');
    expect(links.find(({ ifname }) => ifname === 'here')?.master).toBe(bridge?.index);
  });

  test('addresses: added twice, IPv6 without DAD, deleted twice', async () => {
    const { here } = await subject.world.pair();
    const add = [
      { op: 'address-add', ifname: 'here', cidr: '10.0.0.1/24' },
      { op: 'address-add', ifname: 'here', cidr: '2001:DB8:1:0::10/64' },
    ] as const;
    await here.change([...add, ...add]);
    const [link] = await ipJson<IpAddresses>(here.name, 'address', 'show', 'here');
    expect(link?.addr_info).toContainEqual(
      expect.objectContaining({ local: '10.0.0.1', prefixlen: 24, scope: 'global' }),
    );
    const v6 = link?.addr_info.find(({ local }) => local === '2001:db8:1::10');
    expect(v6).toMatchObject({ prefixlen: 64, nodad: true });
    expect(v6?.tentative).toBeUndefined();
    const listed = await here.addresses();
    expect(listed).toContainEqual({ ifname: 'here', cidr: '10.0.0.1/24', permanent: true, scope: 'global' });
    expect(listed).toContainEqual({ ifname: 'here', cidr: '2001:db8:1::10/64', permanent: true, scope: 'global' });
    expect(listed).toContainEqual({ ifname: 'lo', cidr: '127.0.0.1/8', permanent: false, scope: 'host' });
    const remove = add.map(({ ifname, cidr }) => ({ op: 'address-delete', ifname, cidr }) as const);
    await here.change([...remove, ...remove, { op: 'address-delete', ifname: 'no-such', cidr: '10.0.0.1/24' }]);
    const left = (await here.addresses()).filter(({ ifname, permanent }) => ifname === 'here' && permanent);
    expect(left.map(({ cidr }) => cidr)).toEqual(['192.0.2.1/24', '2001:db8::1/64']);
  });

  test('an interface without IPv6 has no IPv6 address to delete', async () => {
    const { here } = await subject.world.pair();
    await here.change([
      { op: 'link-set', ifname: 'here', mtu: 1200 },
      { op: 'address-delete', ifname: 'here', cidr: '2001:db8::1/64' },
    ]);
    expect((await here.addresses()).filter(({ ifname, cidr }) => ifname === 'here' && cidr.includes(':'))).toEqual([]);
  });

  test("the kernel's own link-local address is not permanent, ours is", async () => {
    const { here } = await subject.world.pair();
    await here.change([{ op: 'address-add', ifname: 'here', cidr: 'fe80::1/64' }]);
    const local = (await here.addresses()).filter(({ scope }) => scope === 'link');
    expect(local).toContainEqual({ ifname: 'here', cidr: 'fe80::1/64', permanent: true, scope: 'link' });
    expect(local).toContainEqual({
      ifname: 'here',
      cidr: 'fe80::f816:3eff:fe00:1/64',
      permanent: false,
      scope: 'link',
    });
  });

  test('deleting one address leaves the others of its subnet', async () => {
    const { here } = await subject.world.pair();
    await here.change([
      { op: 'address-add', ifname: 'here', cidr: '192.0.2.11/24' },
      { op: 'address-delete', ifname: 'here', cidr: '192.0.2.1/24' },
    ]);
    expect((await here.addresses()).map(({ cidr }) => cidr)).toContain('192.0.2.11/24');
  });

  test('routes: default, onlink, by device, link-local; replaced, deleted twice, and known by their protocol', async () => {
    const { here } = await subject.world.pair();
    const protocol = ROUTE_PROTOCOL;
    await inNetns(here.name, 'ip', 'route', 'add', '10.9.0.0/16', 'via', '192.0.2.2', 'proto', 'bird', 'metric', '32');
    await here.change([
      { op: 'route-replace', destination: '0.0.0.0/0', via: '192.0.2.2' },
      { op: 'route-replace', destination: '::/0', via: '2001:db8::2' },
      { op: 'route-replace', destination: '10.1.0.0/16', via: '203.0.113.1', ifname: 'here', onlink: true },
      { op: 'route-replace', destination: '10.2.0.1/32', ifname: 'here' },
      { op: 'route-replace', destination: '2001:db8:2::/48', via: 'fe80::2', ifname: 'here' },
      { op: 'route-replace', destination: '2001:db8:3::/48', ifname: 'here' },
    ]);
    const bird = { destination: '10.9.0.0/16', via: '192.0.2.2', ifname: 'here', metric: 32, protocol: 12 };
    const before = await here.routes();
    expect(before).toHaveLength(7);
    expect(before).toEqual(
      expect.arrayContaining([
        bird,
        { destination: '0.0.0.0/0', via: '192.0.2.2', ifname: 'here', protocol },
        { destination: '::/0', via: '2001:db8::2', ifname: 'here', metric: 1024, protocol },
        { destination: '10.1.0.0/16', via: '203.0.113.1', ifname: 'here', protocol },
        { destination: '10.2.0.1/32', ifname: 'here', protocol },
        { destination: '2001:db8:2::/48', via: 'fe80::2', ifname: 'here', metric: 1024, protocol },
        { destination: '2001:db8:3::/48', ifname: 'here', metric: 1024, protocol },
      ]),
    );
    expect(await ipJson(here.name, '-N', 'route', 'show', 'default')).toMatchObject([
      { gateway: '192.0.2.2', protocol: '189' },
    ]);
    expect(await ipJson(here.name, 'route', 'show', '10.1.0.0/16')).toMatchObject([{ flags: ['onlink'] }]);
    expect(await ipJson(here.name, 'route', 'show', '10.2.0.1')).toMatchObject([{ scope: 'link' }]);

    await here.change([
      { op: 'route-replace', destination: '0.0.0.0/0', via: '192.0.2.3' },
      { op: 'route-replace', destination: '::/0', via: '2001:db8::3' },
    ]);
    expect(await ipJson(here.name, 'route', 'show', 'default')).toMatchObject([{ gateway: '192.0.2.3' }]);
    expect(await ipJson(here.name, '-6', 'route', 'show', 'default')).toMatchObject([{ gateway: '2001:db8::3' }]);

    const remove = (await here.routes()).map(({ destination, via, ifname }) => ({
      op: 'route-delete' as const,
      destination,
      ...(via === undefined ? {} : { via }),
      ...(ifname === undefined ? {} : { ifname }),
    }));
    await here.change([...remove, ...remove]);
    // BIRD's is not ours to delete.
    expect(await here.routes()).toEqual([bird]);
  });

  test('equal-cost routes of others are listed by next hop', async () => {
    const { here } = await subject.world.pair();
    const hops = ['nexthop', 'via', '192.0.2.2', 'nexthop', 'via', '192.0.2.3'];
    await inNetns(here.name, 'ip', 'route', 'add', '10.9.0.0/16', 'proto', 'bird', ...hops);
    expect((await here.routes()).map(({ destination, via }) => `${destination} ${via}`)).toEqual([
      '10.9.0.0/16 192.0.2.2',
      '10.9.0.0/16 192.0.2.3',
    ]);
  });

  test('the operation that failed is named, and those before it are applied', async () => {
    const { here } = await subject.world.pair();
    const failing = here.change([
      { op: 'route-replace', destination: '10.1.0.0/16', via: '192.0.2.2' },
      { op: 'route-delete', destination: '10.8.0.0/16', via: '192.0.2.2' },
      { op: 'route-replace', destination: '10.2.0.0/16', via: '203.0.113.9' },
    ]);
    await expect(failing).rejects.toMatchObject({
      code: 'KERNEL_REFUSED',
      errno: 'ENETUNREACH',
      operation: 'route-replace',
      object: `10.2.0.0/16 via 203.0.113.9 in ${here.name}`,
    });
    expect((await here.routes()).map(({ destination }) => destination)).toEqual(['10.1.0.0/16']);
    await expect(here.change([{ op: 'link-set', ifname: 'no-such', up: true }])).rejects.toMatchObject({
      code: 'KERNEL_ABSENT',
      errno: 'ENODEV',
    });
    await expect(here.change([{ op: 'address-add', ifname: 'no-such', cidr: '10.0.0.1/8' }])).rejects.toMatchObject({
      errno: 'ENODEV',
    });
    const peerless = {
      op: 'veth-add',
      name: 'n',
      mtu: 1500,
      peer: { name: 'm', netns: 'at-none', mac: MAC.here },
    } as const;
    await expect(
      here.change([{ op: 'address-add', ifname: 'here', cidr: '10.6.0.1/24' }, peerless]),
    ).rejects.toMatchObject({ errno: 'ENOENT', operation: 'veth-add', message: expect.stringContaining('at-none') });
    expect((await here.addresses()).map(({ cidr }) => cidr)).toContain('10.6.0.1/24');
  });

  test('input that says more than it should is refused before anything is done', async () => {
    const { here } = await subject.world.pair();
    const good = { op: 'address-add', ifname: 'here', cidr: '10.7.0.1/24' } as const;
    for (const bad of [
      { op: 'link-delete', ifname: 'x\nlink delete here' },
      { op: 'address-add', ifname: 'here', cidr: '10.0.0.1' },
      { op: 'route-replace', destination: '10.0.0.0/8', via: '192.0.2.2 metric 5' },
      { op: 'route-replace', destination: '10.0.0.0/8' },
      { op: 'link-set', ifname: 'here', mac: 'nonsense' },
    ] as const) {
      await expect(here.change([good, bad])).rejects.toMatchObject({ code: 'KERNEL_BAD_INPUT' });
    }
    expect((await here.addresses()).map(({ cidr }) => cidr)).not.toContain(good.cidr);
  });

  test('ten thousand addresses and as many routes in one change, and away again', { timeout: 120_000 }, async () => {
    const { here } = await subject.world.pair();
    const numbers = Array.from({ length: 10_000 }, (_, index) => index);
    const at = (first: number, index: number) => `${first}.0.${index >> 8}.${index & 255}/32`;
    const add = numbers.flatMap((index) => [
      { op: 'address-add', ifname: 'here', cidr: at(10, index) } as const,
      { op: 'route-replace', destination: at(11, index), via: '192.0.2.2' } as const,
    ]);
    await here.change(add);
    // All of them refused for being there, or not: neither overruns the answers.
    await here.change(add);
    expect(await ipJson(here.name, '-4', 'route', 'show', 'proto', String(ROUTE_PROTOCOL))).toHaveLength(10_000);
    expect(await here.routes()).toHaveLength(10_000);
    expect(await here.addresses()).toHaveLength(10_000 + 5);
    const remove = numbers.flatMap((index) => [
      { op: 'address-delete', ifname: 'here', cidr: at(10, index) } as const,
      { op: 'route-delete', destination: at(11, index), via: '192.0.2.2' } as const,
    ]);
    await here.change([...remove, ...remove]);
    expect(await here.routes()).toEqual([]);
    expect(await here.addresses()).toHaveLength(5);
  });
}
