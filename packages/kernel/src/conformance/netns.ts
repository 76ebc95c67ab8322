import { readFileSync, readlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Subject } from '../conformance.ts';
import { inNetns, ipJson, uniqueName, until } from './world.ts';

export function netnsTests(subject: Subject): void {
  test('create, list and delete, twice each', async () => {
    const { kernel, world } = subject;
    const name = world.name();
    await kernel.createNetns(name);
    await kernel.createNetns(name);
    expect(await kernel.listNetns()).toContain(name);
    expect(await inNetns(null, 'ip', 'netns', 'list')).toContain(name);
    const [lo] = await ipJson<{ flags: string[] }>(name, 'link', 'show', 'lo');
    expect(lo?.flags).toContain('UP');
    await kernel.deleteNetns(name);
    await kernel.deleteNetns(name);
    expect(await kernel.listNetns()).not.toContain(name);
    expect(await inNetns(null, 'ip', 'netns', 'list')).not.toContain(name);
  });

  test('names come and go in other mount namespaces too', async () => {
    const { kernel, world } = subject;
    const first = await world.netns();
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).toMatch(/ \/run\/netns .* shared:/);
    const other = world.start(first.name, 'unshare', '--mount', '--propagation', 'unchanged', 'sleep', '60');
    const mounts = () => readFileSync(`/proc/${other.pid}/mountinfo`, 'utf8');
    const ours = readlinkSync('/proc/self/ns/mnt');
    await until('the other mount namespace', async () => {
      return (
        readlinkSync(`/proc/${other.pid}/ns/mnt`) !== ours &&
        readFileSync(`/proc/${other.pid}/comm`, 'utf8') === 'sleep\n'
      );
    });
    const name = world.name();
    await kernel.createNetns(name);
    // `ip netns exec` has made its mounts slaves of ours.
    expect(mounts()).toContain(`/run/netns/${name} `);
    await kernel.deleteNetns(name);
    expect(mounts()).not.toContain(`/run/netns/${name} `);
  });

  test('what an interrupted creation left behind is used', async () => {
    const { kernel, world } = subject;
    const name = world.name();
    await inNetns(null, 'mkdir', '-p', '/run/netns');
    await inNetns(null, 'touch', `/run/netns/${name}`);
    expect(await kernel.listNetns()).not.toContain(name);
    await kernel.createNetns(name);
    expect(await inNetns(name, 'ip', 'link', 'show', 'lo')).toContain('UP');
  });

  test('a handle outlives the name of its namespace', async () => {
    const { kernel, world } = subject;
    const netns = await world.netns();
    await kernel.deleteNetns(netns.name);
    await netns.change([{ op: 'address-add', ifname: 'lo', cidr: '192.0.2.9/32' }]);
    expect((await netns.addresses()).map(({ cidr }) => cidr)).toContain('192.0.2.9/32');
    expect((await netns.links()).map(({ ifname }) => ifname)).toEqual(['lo']);
  });

  test('a handle on our own namespace', async () => {
    const own = await subject.kernel.open(null);
    const names = (await ipJson<{ ifname: string }>(null, 'link', 'show')).map(({ ifname }) => ifname);
    expect((await own.links()).map(({ ifname }) => ifname)).toEqual(expect.arrayContaining(names.slice(0, 1)));
    own.close();
  });

  test('an unknown name, a name that is a path, a closed handle', async () => {
    const { kernel, world } = subject;
    await expect(kernel.open(uniqueName())).rejects.toMatchObject({ code: 'KERNEL_ABSENT', errno: 'ENOENT' });
    await expect(kernel.open('../../proc/1/ns/net')).rejects.toMatchObject({ code: 'KERNEL_BAD_INPUT' });
    await expect(kernel.createNetns('a/b')).rejects.toMatchObject({ code: 'KERNEL_BAD_INPUT' });
    const netns = await world.netns();
    netns.close();
    netns.close();
    await expect(netns.links()).rejects.toMatchObject({ code: 'KERNEL_CLOSED' });
    await expect(netns.nft('list ruleset')).rejects.toMatchObject({ code: 'KERNEL_CLOSED' });
  });

  test('sysctl is written in the namespace and nowhere else', async () => {
    const netns = await subject.world.netns();
    const host = readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8').trim();
    const other = host === '1' ? '0' : '1';
    await netns.sysctl({ 'net/ipv4/ip_forward': other, 'net/ipv6/conf/all/forwarding': other });
    expect((await inNetns(netns.name, 'cat', '/proc/sys/net/ipv4/ip_forward')).trim()).toBe(other);
    expect((await inNetns(netns.name, 'cat', '/proc/sys/net/ipv6/conf/all/forwarding')).trim()).toBe(other);
    expect(readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8').trim()).toBe(host);
    await expect(netns.sysctl({ 'net/ipv4/no_such': '1' })).rejects.toMatchObject({ code: 'KERNEL_ABSENT' });
    await expect(netns.sysctl({ 'net/ipv4/ip_forward': 'x' })).rejects.toMatchObject({ code: 'KERNEL_REFUSED' });
    await expect(netns.sysctl({ 'kernel/hostname': 'x' })).rejects.toMatchObject({ code: 'KERNEL_BAD_INPUT' });
    await expect(netns.sysctl({ 'net/../kernel/hostname': 'x' })).rejects.toMatchObject({ code: 'KERNEL_BAD_INPUT' });
  });

  test('twenty namespaces at once are not mixed up', async () => {
    const { kernel, world } = subject;
    const own = readFileSync('/proc/sys/net/ipv4/ip_default_ttl', 'utf8');
    await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const name = world.name();
        await kernel.createNetns(name);
        const netns = await world.open(name);
        const mac = `fa:16:3e:01:00:${index.toString(16).padStart(2, '0')}`;
        await netns.change([
          { op: 'veth-add', name: `v${index}`, mtu: 1300 + index, peer: { name: `w${index}`, netns: null, mac } },
          { op: 'link-set', ifname: `v${index}`, up: true },
          { op: 'link-set', ifname: `w${index}`, up: true },
          { op: 'address-add', ifname: `v${index}`, cidr: `10.0.${index}.1/24` },
        ]);
        await netns.sysctl({ 'net/ipv4/ip_default_ttl': String(100 + index) });
        await netns.nft(`table inet t${index} { }`);
        await netns.change([{ op: 'route-replace', destination: '0.0.0.0/0', via: `10.0.${index}.254` }]);
        expect((await netns.links()).map((link) => link.ifname).sort()).toEqual(['lo', `v${index}`, `w${index}`]);
        expect((await netns.routes()).map(({ via }) => via)).toEqual([`10.0.${index}.254`]);
        const links = await ipJson<{ ifname: string; mtu: number; address: string }>(name, 'link', 'show');
        expect(links).toContainEqual(expect.objectContaining({ ifname: `w${index}`, mtu: 1300 + index, address: mac }));
        expect(await inNetns(name, 'cat', '/proc/sys/net/ipv4/ip_default_ttl')).toBe(`${100 + index}\n`);
        expect(await inNetns(name, 'nft', 'list', 'tables')).toBe(`table inet t${index}\n`);
      }),
    );
    const ours = (await ipJson<{ ifname: string }>(null, 'link', 'show')).map(({ ifname }) => ifname);
    expect(ours.filter((ifname) => /^[vw]\d+$/.test(ifname))).toEqual([]);
    expect(readFileSync('/proc/sys/net/ipv4/ip_default_ttl', 'utf8')).toBe(own);
  });
}
