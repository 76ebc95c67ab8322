import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { type Attachment, netnsName, type PlugKind, tapName } from '@astara/model/instance.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Instance } from '../instances/instance.ts';
import { attachment, spec, uniqueId } from '../testing/fixtures.ts';
import { testHost } from '../testing/host.ts';
import { ip } from '../testing/world.ts';
import type { Plug } from './plug.ts';
import { readTap } from './tap.ts';

/** An L2 segment of the test's own, and the part of the L2 agent on it. */
export interface PlugRig {
  readonly kind: PlugKind;
  readonly plug: Plug;
  /** What the L2 agent does when it finds the tap: traffic flows between all taps it has seen. */
  agentSees(tap: string): void;
  /** Taps that the L2 is told of for this instance, apart from the devices themselves. Undefined: this plug tells nobody. */
  wired(instanceId: string): string[] | undefined;
  remove(): Promise<void>;
}

/** What every plug must do, with real devices and real packets. */
export function plugConformance(name: string, setUp: () => Promise<PlugRig>): void {
  describe(`plug ${name}`, () => {
    let rig: PlugRig;
    let one: Instance;
    let two: Instance;

    beforeAll(async () => {
      rig = await setUp();
      const host = await testHost({ [rig.kind]: rig.plug });
      [one, two] = await Promise.all([
        Instance.create(host, uniqueId(), spec()),
        Instance.create(host, uniqueId(), spec()),
      ]);
    });

    afterAll(async () => {
      await Promise.all([one, two].map((instance) => instance.destroy()));
      await rig.remove();
    });

    const port = (options: Parameters<typeof attachment>[0] = {}) => attachment({ plug: rig.kind, ...options });
    const expectPlugged = (instance: Instance, attachments: readonly Attachment[]) => {
      for (const { port_id, ifname, mac_address, mtu } of attachments) {
        const [inner] = JSON.parse(ip(instance.id, '-j', 'link', 'show', ifname));
        expect(inner).toMatchObject({ address: mac_address, mtu });
        const tap = readTap(tapName(port_id));
        expect(tap).toEqual({ peer: inner.ifindex, mtu, up: true });
      }
      const names = attachments.map(({ port_id }) => tapName(port_id));
      expect(rig.wired(instance.id)?.sort() ?? names.toSorted()).toEqual(names.toSorted());
      const inside = JSON.parse(ip(instance.id, '-j', 'link', 'show', 'type', 'veth')) as { ifname?: string }[];
      expect(inside.flatMap(({ ifname }) => ifname ?? []).sort()).toEqual(
        attachments.map(({ ifname }) => ifname).sort(),
      );
    };

    test('attaches, leaves alone, changes and detaches', async () => {
      const [a, b, c] = [port(), port({ mtu: 1500 }), port()];
      await one.converge(spec([a, b]));
      expectPlugged(one, [a, b]);
      expect(one.attachments).toEqual([a, b]);

      const indexes = ip(one.id, '-j', 'link', 'show', a.ifname);
      await one.converge(spec([a, c]));
      expectPlugged(one, [a, c]);
      expect(readTap(tapName(b.port_id))).toBeUndefined();
      expect(ip(one.id, '-j', 'link', 'show', a.ifname)).toBe(indexes);

      const changed = { ...a, mtu: 1300, mac_address: port().mac_address };
      await one.converge(spec([changed, c]));
      expectPlugged(one, [changed, c]);

      const renamed = { ...changed, ifname: 'qg-renamed' };
      await one.converge(spec([renamed, c]));
      expectPlugged(one, [renamed, c]);

      await one.converge(spec([]));
      expectPlugged(one, []);
    });

    test('mends what somebody broke', async () => {
      const [a, b, c] = [port(), port(), port()];
      const wanted = spec([a, b, c]);
      await one.converge(wanted);
      ip(null, 'link', 'delete', tapName(a.port_id));
      ip(null, 'link', 'set', tapName(b.port_id), 'down', 'mtu', '1200');
      ip(one.id, 'link', 'set', c.ifname, 'address', 'fa:16:3e:ff:ff:ff');
      await one.converge(wanted);
      expectPlugged(one, [a, b, c]);
      await one.converge(spec([]));
    });

    test('carries packets', async () => {
      const [a, b] = [port(), port()];
      // Benchmarking addresses (RFC 2544): the host itself answers ARP for any address of its own, also on bridges.
      const net = `198.18.${randomInt(256)}`;
      await one.converge(spec([a]));
      await two.converge(spec([b]));
      for (const [instance, { ifname, port_id }, address] of [
        [one, a, `${net}.1/24`],
        [two, b, `${net}.2/24`],
      ] as const) {
        rig.agentSees(tapName(port_id));
        ip(instance.id, 'address', 'add', address, 'dev', ifname);
        ip(instance.id, 'link', 'set', ifname, 'up');
      }
      const ping = ['ip', 'netns', 'exec', netnsName(one.id), 'ping', '-c', '3', '-i', '0.2', '-W', '5', `${net}.2`];
      expect(execFileSync('timeout', ['20', ...ping], { encoding: 'utf8' })).toMatch(/[123] received/);
      await one.converge(spec([]));
      await two.converge(spec([]));
    });

    test('a tap that is plugged elsewhere stays there, and the other ports are plugged', async () => {
      const [a, b] = [port(), port()];
      await two.converge(spec([a]));
      await expect(one.converge(spec([a, b]))).rejects.toMatchObject({ code: 'AGENT_TAP_TAKEN' });
      expectPlugged(two, [a]);
      expectPlugged(one, [b]);
      await two.converge(spec([]));
      await one.converge(spec([a, b]));
      expectPlugged(one, [a, b]);
      await one.converge(spec([]));
    });

    test('wires of instances that nobody knows are collected', async () => {
      const [a, b] = [port(), port()];
      await one.converge(spec([a]));
      await two.converge(spec([b]));
      await rig.plug.collect(new Set([one.id]));
      expect(rig.wired(one.id) ?? [tapName(a.port_id)]).toEqual([tapName(a.port_id)]);
      expect(rig.wired(two.id) ?? []).toEqual([]);
      await one.converge(spec([]));
      await two.converge(spec([]));
    });
  });
}
