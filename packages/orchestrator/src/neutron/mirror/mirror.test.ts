import type { ResourceKey } from '@astara/model/instance.ts';
import { describe, expect, test } from 'vitest';
import { activeNetworks, first, notification, syncedRouters } from '../../testing/fixtures.ts';
import { floatingIp, network, port, router, routerPort, subnet } from '../../testing/objects.ts';
import { Mirror } from './mirror.ts';

const text = (keys: readonly ResourceKey[]) => keys.map((key) => `${key.kind} ${key.id}`).sort();

function ingest(mirror: Mirror, ...routers: ReturnType<typeof router>[]) {
  return mirror.ingestRouters(
    routers.map(({ id }) => id),
    routers,
    mirror.stamp(),
  );
}

describe('routers', () => {
  test('a real answer enters, and the same answer changes nothing', () => {
    const mirror = new Mirror();
    const answer = syncedRouters();
    const { id } = first(answer);
    expect(text(ingest(mirror, ...answer).keys)).toEqual([`router ${id}`]);
    expect(mirror.floatingIps.ofRouter(id).map((fip) => fip.floating_ip_address)).toEqual([
      '203.0.113.29',
      '203.0.113.16',
    ]);
    expect(ingest(mirror, ...syncedRouters()).keys).toEqual([]);
  });

  test('status, timestamps and revisions alone are no change', () => {
    const mirror = new Mirror();
    ingest(mirror, router('a1', { _floatingips: [floatingIp('f1', 'a1')] }));
    const later = { revision_number: 9, updated_at: '2027-01-01T00:00:00Z' };
    const again = router('a1', { ...later, _floatingips: [floatingIp('f1', 'a1', { ...later, status: 'ACTIVE' })] });
    expect(ingest(mirror, again).keys).toEqual([]);
  });

  test('an older revision is refused and must be asked for again', () => {
    const mirror = new Mirror();
    ingest(mirror, router('a1'));
    const routes = [{ destination: '10.9.0.0/16', nexthop: '10.0.0.7' }];
    const began = mirror.stamp();
    expect(text(mirror.patchRouter(router('a1', { revision_number: 5, routes })))).toEqual(['router a1']);
    const { keys, outdated } = mirror.ingestRouters(['a1'], [router('a1', { revision_number: 4 })], began);
    expect([keys, outdated, mirror.routers.get('a1')?.routes]).toEqual([[], ['a1'], routes]);
  });

  test('what an answer does not name has left, with its floating IPs, and frees its networks', () => {
    const mirror = new Mirror();
    const net = network('b1', [subnet('c1', 'b1', '10.0.0.0/24')]);
    mirror.ingestNetworks([net], mirror.stamp());
    const port = routerPort('d1', 'b1', net.subnets, { c1: '10.0.0.1' });
    ingest(mirror, router('a1', { _interfaces: [port], _floatingips: [floatingIp('f1', 'a1')] }));
    expect(text(mirror.ingestRouters(['a1'], [], mirror.stamp()).keys)).toEqual(['network b1', 'router a1']);
    expect(mirror.routers.ids()).toEqual([]);
  });

  test('a removal beats a list begun before it, and a list begun after it beats the removal', () => {
    const mirror = new Mirror();
    ingest(mirror, router('a1'));
    const began = mirror.stamp();
    mirror.removeRouter('a1');
    mirror.ingestRouters(['a1'], [router('a1', { revision_number: 7 })], began);
    expect(mirror.routers.has('a1')).toBe(false);
    ingest(mirror, router('a1'));
    expect(mirror.routers.has('a1')).toBe(true);
  });
});

describe('floating IPs', () => {
  test('move between routers at once: both are concerned', () => {
    const mirror = new Mirror();
    ingest(mirror, router('a1', { _floatingips: [floatingIp('f1', 'a1')] }), router('a2'));
    const keys = mirror.patchFloatingIp(floatingIp('f1', 'a2', { revision_number: 2 }));
    expect(text(keys)).toEqual(['router a1', 'router a2']);
    expect(mirror.floatingIps.ofRouter('a1')).toEqual([]);
    // The message that gave it to the first router comes late, and again.
    expect(mirror.patchFloatingIp(floatingIp('f1', 'a1', { revision_number: 1 }))).toEqual([]);
    expect(mirror.floatingIps.ofRouter('a2')).toHaveLength(1);
  });

  test('real notifications: associated, disassociated, deleted', () => {
    const mirror = new Mirror();
    const associated = notification('floatingip.update.end').payload.floatingip as ReturnType<typeof floatingIp>;
    const id = associated.router_id ?? '';
    ingest(mirror, router(id));
    expect(text(mirror.patchFloatingIp(associated, 1000))).toEqual([`router ${id}`]);
    expect(mirror.since({ kind: 'router', id })).toBe(1000);
    expect(mirror.patchFloatingIp(associated, 2000)).toEqual([]);
    const gone = notification('floatingip.update.end--floatingip_disassociate').payload.floatingip as typeof associated;
    expect(text(mirror.patchFloatingIp(gone, 3000))).toEqual([`router ${id}`]);
    expect(mirror.floatingIps.ofRouter(id)).toEqual([]);
    expect(mirror.removeFloatingIp(gone.id)).toEqual([]);
    expect(mirror.patchFloatingIp({ ...associated, revision_number: 99 })).toEqual([]);
  });

  test('those of other hosts are not kept', () => {
    const mirror = new Mirror();
    expect(mirror.patchFloatingIp(floatingIp('f1', 'elsewhere'))).toEqual([]);
    expect(mirror.floatingIps.get('f1')).toBeUndefined();
  });

  test('one that a list did not have does not come back by a late message', () => {
    const mirror = new Mirror();
    ingest(mirror, router('a1', { _floatingips: [floatingIp('f1', 'a1')] }));
    expect(text(ingest(mirror, router('a1')).keys)).toEqual(['router a1']);
    expect(mirror.patchFloatingIp(floatingIp('f1', 'a1'))).toEqual([]);
    expect(text(mirror.patchFloatingIp(floatingIp('f1', 'a1', { revision_number: 2 })))).toEqual(['router a1']);
  });
});

describe('networks', () => {
  test('a port concerns the network and the routers on it, not those with a gateway there', () => {
    const mirror = new Mirror();
    mirror.ingestNetworks(activeNetworks(), mirror.stamp());
    const { id } = first(syncedRouters());
    ingest(mirror, ...syncedRouters());
    const inside = '04e34659-861c-4900-8a1d-6edb7a260c63';
    const external = '46c83e5a-5e68-4ce3-82ca-4b01b20a4dd7';
    expect(text(mirror.patchPort(port('aa', inside)))).toEqual([`network ${inside}`, `router ${id}`]);
    expect(text(mirror.patchPort(port('ab', external)))).toEqual([`network ${external}`]);
    expect(mirror.patchPort(port('ac', 'not-here'))).toEqual([]);
  });

  test('a port that comes before its network has been fetched is not lost', () => {
    const mirror = new Mirror();
    mirror.scheduleNetwork('b1');
    const began = mirror.stamp();
    mirror.patchPort(port('p1', 'b1'));
    mirror.ingestNetwork('b1', network('b1'), began);
    expect(mirror.networks.get('b1')?.ports.map(({ id }) => id)).toEqual(['p1']);
  });

  test('one taken from this host stays known as long as a router here is on it', () => {
    const mirror = new Mirror();
    const net = network('b1', [subnet('c1', 'b1', '10.0.0.0/24')], [port('p1', 'b1')]);
    mirror.ingestNetworks([net], mirror.stamp());
    ingest(mirror, router('a1', { _interfaces: [routerPort('d1', 'b1', net.subnets, { c1: '10.0.0.1' })] }));
    expect(text(mirror.unscheduleNetwork('b1'))).toEqual(['network b1', 'router a1']);
    expect(mirror.networks.get('b1')?.scheduled).toBe(false);
    expect(mirror.networks.get('b1')?.ports).toHaveLength(1);
    mirror.removeRouter('a1');
    expect(mirror.networks.known('b1')).toBe(false);
  });

  test('a list older than one that has come back already changes nothing', () => {
    const mirror = new Mirror();
    const old = mirror.stamp();
    mirror.ingestNetworks([network('b1', [], [port('p2', 'b1')])], mirror.stamp());
    expect(mirror.ingestNetwork('b1', network('b1', [], [port('p1', 'b1')]), old)).toEqual([]);
    expect(mirror.networks.get('b1')?.ports.map(({ id }) => id)).toEqual(['p2']);
  });
});

describe('since', () => {
  test('is the earliest change that what was applied did not contain', () => {
    const mirror = new Mirror();
    const key: ResourceKey = { kind: 'router', id: 'a1' };
    ingest(mirror, router('a1'));
    mirror.patchFloatingIp(floatingIp('f1', 'a1'), 100);
    mirror.patchFloatingIp(floatingIp('f2', 'a1'), 200);
    expect(mirror.since(key)).toBe(100);
    const built = mirror.stamp();
    mirror.patchFloatingIp(floatingIp('f3', 'a1'), 300);
    mirror.applied(key, built);
    expect(mirror.since(key)).toBe(300);
    mirror.applied(key, mirror.stamp());
    expect(mirror.since(key)).toBeUndefined();
  });
});
