import type { Link } from '@astara/kernel/contract.ts';
import { type Attachment, tapName } from '@astara/model/instance.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plan } from './plan.ts';
import type { Tap } from './tap.ts';

/** A namespace and the taps of the host, small enough to be wrong in every way. */
interface World {
  inside: Link[];
  taps: Map<string, Tap>;
  nextIndex: number;
}

const macs = ['fa:16:3e:00:00:01', 'FA:16:3E:00:00:02', 'fa:16:3e:00:00:03'] as const;
const anAttachment: fc.Arbitrary<Attachment> = fc.record({
  port_id: fc.constantFrom('11111111-aaa', '22222222-bbb', '33333333-ccc', '44444444-ddd'),
  network_id: fc.constant('0'),
  mac_address: fc.constantFrom(...macs),
  mtu: fc.constantFrom(1450, 1500),
  ifname: fc.constantFrom('qr-1', 'qr-2', 'qr-3', 'qg-1'),
  plug: fc.constant('bridge' as const),
});
const attachments = fc.array(anAttachment, { maxLength: 4 }).map((list) =>
  distinct(
    distinct(list, (item) => item.port_id),
    (item) => item.ifname,
  ),
);

function distinct<T>(list: T[], key: (item: T) => string): T[] {
  return [...new Map(list.map((item) => [key(item), item])).values()];
}

function emptyWorld(): World {
  const lo = { index: 1, ifname: 'lo', mac: '00:00:00:00:00:00', mtu: 65536, up: true, running: true };
  const tunnel = { index: 2, ifname: 'qr-tun', mac: '', mtu: 1400, up: true, running: true, kind: 'tun' };
  return { inside: [lo, tunnel], taps: new Map(), nextIndex: 3 };
}

/** What the kernel would do. A tap that exists cannot be added again, and goes with its other end. */
function apply(world: World, steps: ReturnType<typeof plan>): void {
  for (const ifname of steps.remove) {
    const link = world.inside.find((candidate) => candidate.ifname === ifname);
    world.inside = world.inside.filter((candidate) => candidate !== link);
    for (const [name, tap] of world.taps) if (tap.peer === link?.index) world.taps.delete(name);
  }
  for (const item of steps.add) {
    const name = tapName(item.port_id);
    if (world.taps.has(name) || world.inside.some((link) => link.ifname === item.ifname)) throw new Error('EEXIST');
    const index = world.nextIndex++;
    const { ifname, mac_address: mac, mtu } = item;
    world.inside.push({ index, ifname, mac: mac.toLowerCase(), mtu, up: false, running: false, kind: 'veth' });
    world.taps.set(name, { peer: index, mtu, up: true });
  }
  for (const item of steps.change) {
    const at = world.inside.findIndex((link) => link.ifname === item.ifname);
    const link = world.inside[at];
    if (link === undefined) throw new Error('ENODEV');
    world.inside[at] = { ...link, mac: item.mac_address.toLowerCase(), mtu: item.mtu };
    world.taps.set(tapName(item.port_id), { peer: link.index, mtu: item.mtu, up: true });
  }
}

function planIn(world: World, wanted: Attachment[]) {
  return plan(wanted, { inside: world.inside, taps: world.taps });
}

const nothing = { remove: [], add: [], change: [], taken: [] };

test('one plan leads from any state to the wanted one, and then there is nothing to do', () => {
  fc.assert(
    fc.property(fc.array(attachments, { minLength: 1, maxLength: 5 }), (history) => {
      const world = emptyWorld();
      for (const wanted of history) {
        apply(world, planIn(world, wanted));
        expect(planIn(world, wanted)).toEqual(nothing);
        const inside = world.inside.filter((link) => link.kind === 'veth').map((link) => link.ifname);
        expect(inside.sort()).toEqual(wanted.map((item) => item.ifname).sort());
        expect([...world.taps.keys()].sort()).toEqual(wanted.map((item) => tapName(item.port_id)).sort());
      }
      expect(world.inside.map((link) => link.ifname)).toEqual(expect.arrayContaining(['lo', 'qr-tun']));
    }),
  );
});

test('a pair that is wanted before and after keeps its devices', () => {
  fc.assert(
    fc.property(attachments, attachments, (before, after) => {
      const world = emptyWorld();
      apply(world, planIn(world, before));
      const steps = planIn(world, after);
      const kept = after.filter((item) =>
        before.some((old) => old.port_id === item.port_id && old.ifname === item.ifname),
      );
      for (const item of kept) {
        expect(steps.remove).not.toContain(item.ifname);
        expect(steps.add).not.toContain(item);
      }
    }),
  );
});

test('a tap that leads elsewhere is neither removed nor added', () => {
  fc.assert(
    fc.property(attachments, anAttachment, (before, foreign) => {
      const world = emptyWorld();
      apply(
        world,
        planIn(
          world,
          before.filter((item) => item.port_id !== foreign.port_id && item.ifname !== foreign.ifname),
        ),
      );
      world.taps.set(tapName(foreign.port_id), { peer: 999, mtu: 1500, up: true });
      const steps = planIn(world, [foreign]);
      expect(steps.taken).toEqual([foreign]);
      expect(steps.add).toEqual([]);
      apply(world, steps);
      expect(world.taps.get(tapName(foreign.port_id))?.peer).toBe(999);
    }),
  );
});
