/** What neighbours and connections notice. */
import { type ChildProcessWithoutNullStreams, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import type { Subject } from '../conformance.ts';
import type { Flow } from '../contract.ts';
import { inNetns, ipJson, MAC, until, type World } from './world.ts';

/** What the process has printed so far. */
function printed(child: ChildProcessWithoutNullStreams): () => string {
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return () => text;
}

/** An echo server on port 7 of the namespace, for `family` 4 or 6. */
async function echo(world: World, netns: string, family: 4 | 6): Promise<void> {
  world.start(netns, 'socat', `TCP${family}-LISTEN:7,fork,reuseaddr`, 'EXEC:cat');
  await until('the echo server listens', async () =>
    (await inNetns(netns, 'ss', '-Hltn', `-${family}`)).includes(':7 '),
  );
}

/** An established connection; it stays open. */
async function connect(world: World, netns: string, address: string): Promise<void> {
  const to = address.includes(':') ? `TCP6:[${address}]:7` : `TCP4:${address}:7`;
  const client = world.start(netns, 'socat', '-', to);
  const answer = printed(client);
  client.stdin.write('hello\n');
  await until(`an answer from ${address}`, async () => answer().includes('hello'));
}

export function wireTests(subject: Subject): void {
  test('announcements are on the wire and correct neighbours that have an old MAC', async () => {
    const { here, there } = await subject.world.pair();
    await here.sysctl({ 'net/ipv6/conf/all/forwarding': '1' });
    await here.change([
      { op: 'address-add', ifname: 'here', cidr: '192.0.2.50/32' },
      { op: 'address-add', ifname: 'here', cidr: '2001:db8::50/128' },
    ]);
    for (const address of ['192.0.2.50', '2001:db8::50']) {
      const old = ['lladdr', '02:00:00:00:00:99', 'dev', 'there', 'nud', 'reachable'];
      await inNetns(there.name, 'ip', 'neigh', 'replace', address, ...old);
    }
    const dump = subject.world.start(there.name, 'tcpdump', '-lnnev', '-i', 'there', 'arp or icmp6');
    const seen = printed(dump);
    await until('tcpdump listens', async () => seen().includes('listening on'));
    await here.announce('here', ['192.0.2.50', '2001:db8::50']);
    const text = await until('both announcements', async () => {
      const both = /(who-has|Reply) 192\.0\.2\.50/.test(seen()) && seen().includes('tgt is 2001:db8::50');
      return both && seen();
    });
    expect(text).toMatch(new RegExp(`${MAC.here} > ff:ff:ff:ff:ff:ff, ethertype ARP`));
    const na = text.slice(text.lastIndexOf('\n', text.lastIndexOf('hlim', text.indexOf('tgt is 2001:db8::50'))));
    expect(na).toContain(`${MAC.here} > 33:33:00:00:00:01`);
    expect(na).toMatch(/hlim 255.*2001:db8::50 > ff02::1: \[icmp6 sum ok\]/s);
    expect(na).toMatch(/tgt is 2001:db8::50, Flags \[router, override\]/);
    expect(na).toContain(`destination link-address option (2), length 8 (1): ${MAC.here}`);
    for (const address of ['192.0.2.50', '2001:db8::50']) {
      await until(`${address} has its new MAC`, async () => {
        const [entry] = await ipJson<{ lladdr: string }>(there.name, 'neigh', 'show', address);
        return entry?.lladdr === MAC.here;
      });
    }
    await expect(here.announce('no-such', ['192.0.2.1'])).rejects.toMatchObject({ errno: 'ENODEV' });
  });

  for (const family of [4, 6] as const) {
    test(`IPv${family}: flushing a floating IP ends its connections in both directions and no others`, async () => {
      const { world } = subject;
      const v4 = family === 4;
      const [outside, router, inside] = [await world.netns(), await world.netns(), await world.netns()];
      const net = (n: number, host: number) => (v4 ? `10.0.${n}.${host}` : `2001:db8:${n}::${host}`);
      const bits = v4 ? 24 : 64;
      const any = v4 ? '0.0.0.0/0' : '::/0';
      const fip = net(1, 50);
      const plug = (name: string, peer: string, netns: string) =>
        ({ op: 'veth-add', name, mtu: 1500, peer: { name: peer, netns, mac: MAC.there } }) as const;
      await router.change([
        plug('out', 'eth0', outside.name),
        plug('in', 'eth0', inside.name),
        { op: 'link-set', ifname: 'out', up: true },
        { op: 'link-set', ifname: 'in', up: true },
        { op: 'address-add', ifname: 'out', cidr: `${net(1, 1)}/${bits}` },
        { op: 'address-add', ifname: 'out', cidr: `${fip}/${v4 ? 32 : 128}` },
        { op: 'address-add', ifname: 'in', cidr: `${net(2, 1)}/${bits}` },
      ]);
      for (const [netns, n] of [
        [outside, 1],
        [inside, 2],
      ] as const) {
        await netns.change([
          { op: 'link-set', ifname: 'eth0', up: true },
          { op: 'address-add', ifname: 'eth0', cidr: `${net(n, 2)}/${bits}` },
          { op: 'route-replace', destination: any, via: net(n, 1) },
        ]);
        await echo(world, netns.name, family);
      }
      await echo(world, router.name, family);
      await router.sysctl({ 'net/ipv4/ip_forward': '1', 'net/ipv6/conf/all/forwarding': '1' });
      const ip = v4 ? 'ip' : 'ip6';
      await router.nft(`table inet nat {
        chain pre {
          type nat hook prerouting priority -100; policy accept
          ${ip} daddr ${fip} dnat ${ip} to ${net(2, 2)}
        }
        chain post {
          type nat hook postrouting priority 100; policy accept
          ${ip} saddr ${net(2, 2)} oifname "out" snat ${ip} to ${fip}
        }
      }`);
      const entries = async () => {
        const text = await inNetns(router.name, 'conntrack', '-L', '-f', v4 ? 'ipv4' : 'ipv6', '-p', 'tcp');
        return text.split('\n').filter((line) => line.includes('dport=7'));
      };
      await connect(world, outside.name, fip);
      await connect(world, inside.name, net(1, 2));
      await connect(world, outside.name, net(1, 1));
      expect(await entries()).toHaveLength(3);
      const seen: Flow[] = [];
      const flush = (address: string) =>
        router.endConnections((flow) => {
          if (flow.original.destinationPort === 7) seen.push(flow);
          const { original, reply } = flow;
          return [original, reply].some(({ source, destination }) => source === address || destination === address);
        });
      expect(await flush(fip)).toBe(2);
      expect(seen).toHaveLength(3);
      expect(seen).toContainEqual({
        protocol: 6,
        original: { source: net(1, 2), destination: fip, sourcePort: expect.any(Number), destinationPort: 7 },
        reply: { source: net(2, 2), destination: net(1, 2), sourcePort: 7, destinationPort: expect.any(Number) },
      });
      const left = await entries();
      expect(left).toHaveLength(1);
      expect(left[0]).not.toContain(fip);
      expect(await flush(fip)).toBe(0);

      await connect(world, outside.name, fip);
      // By the fixed address as well.
      expect(await flush(net(2, 2))).toBe(1);
    });
  }

  test('node serves HTTP on a descriptor from inside the namespace', async () => {
    const { here, there } = await subject.world.pair();
    if (!subject.features.listenTcp) {
      await expect(here.listenTcp('192.0.2.1', 80)).rejects.toMatchObject({ code: 'KERNEL_UNSUPPORTED' });
      return;
    }
    await here.change([{ op: 'address-add', ifname: 'here', cidr: 'fe80::a9fe:a9fe/64' }]);
    for (const [address, from] of [
      ['192.0.2.1', 'TCP4:192.0.2.1:80'],
      ['2001:db8::1', 'TCP6:[2001:db8::1]:80'],
      ['fe80::a9fe:a9fe%here', 'TCP6:[fe80::a9fe:a9fe%there]:80'],
    ] as const) {
      const server = createServer((request, response) => response.end(`to ${here.endpoints(request.socket).remote}`));
      server.listen({ fd: await here.listenTcp(address, 80) });
      await once(server, 'listening');
      const client = subject.world.start(there.name, 'socat', '-', from);
      const answer = printed(client);
      client.stdin.write('GET / HTTP/1.0\r\n\r\n');
      await until(`a page from ${address}`, async () => /200 OK.*to (192|2001|fe80:.*%here)/s.test(answer()));
      await expect(here.listenTcp(address, 80)).rejects.toMatchObject({ errno: 'EADDRINUSE' });
      server.close();
      await once(server, 'close');
    }
    expect(execFileSync('ss', ['-Hltn', 'src', '192.0.2.1']).toString()).toBe('');
    await expect(here.listenTcp('203.0.113.1', 80)).rejects.toMatchObject({ errno: 'EADDRNOTAVAIL' });
  });

  test('a server of the namespace is asked over UDP, and nobody else hears of it', async () => {
    const { here, there } = await subject.world.pair();
    const question = (address: string, port: number) => ({
      from: address,
      fromPort: 0,
      to: address,
      port,
      message: Buffer.from('hello'),
      answers: (datagram: Buffer) => datagram.toString() === 'hello',
    });
    if (!subject.features.listenTcp) {
      const asked = here.askLocally(question('192.0.2.1', 7), AbortSignal.timeout(1_000));
      await expect(asked).rejects.toMatchObject({ code: 'KERNEL_UNSUPPORTED' });
      return;
    }
    const dump = subject.world.start(there.name, 'tcpdump', '-lnn', '-i', 'there', 'udp');
    const seen = printed(dump);
    await until('tcpdump listens', async () => seen().includes('listening on'));
    for (const [family, address] of [
      [4, '192.0.2.1'],
      [6, '2001:db8::1'],
    ] as const) {
      // It is asked again until the server is there.
      const asked = here.askLocally(question(address, 7), AbortSignal.timeout(5_000));
      subject.world.start(here.name, 'socat', `UDP${family}-RECVFROM:7,fork,reuseaddr`, 'EXEC:cat');
      expect((await asked)?.toString()).toBe('hello');
      expect(await here.askLocally(question(address, 8), AbortSignal.timeout(50))).toBeUndefined();
    }
    const group = { ...question('2001:db8::1', 7), to: 'ff02::1:2', ifname: 'here' };
    await here.askLocally(group, AbortSignal.timeout(50));
    await expect(here.askLocally(question('203.0.113.1', 7), AbortSignal.timeout(50))).rejects.toMatchObject({
      errno: 'EADDRNOTAVAIL',
    });
    // What would have been sent before this has been seen when this is.
    await inNetns(here.name, 'sh', '-c', 'echo last | socat -u - UDP4-SENDTO:192.0.2.2:9');
    await until('the last datagram', async () => seen().includes('192.0.2.2.9'));
    expect(seen()).not.toMatch(/ff02|\.7:|\.8:|\.7 >|\.8 >/);
  });
}
