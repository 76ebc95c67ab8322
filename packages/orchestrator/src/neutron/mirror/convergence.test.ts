import type { DhcpNetwork, FloatingIp, Port, SyncedRouter } from '@astara/openstack/neutron-types.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { floatingIp, network, port, router, routerPort, subnet } from '../../testing/objects.ts';
import { Mirror } from './mirror.ts';

/**
 * A Neutron small enough to be tried in any order: two routers, two networks, three floating IPs, three ports. Every change sends a
 * message, which arrives late, twice or never; lists are asked for, read and answered at three different moments.
 */
interface Message {
  readonly deliver: (mirror: Mirror) => void;
  /** The floating IP or port that it tells of, or tells the end of. */
  readonly tells?: string;
  readonly ends?: string;
}

class Truth {
  readonly routers = new Map<string, { revision: number; route: number; here: boolean; interfaces: Set<string> }>();
  readonly fips = new Map<string, { revision: number; router: string | null }>();
  readonly networks = new Map<string, { here: boolean }>();
  readonly ports = new Map<string, { revision: number; network: string; mac: number }>();
  readonly flight: Message[] = [];
  /** Ids are never used twice. */
  #dead = 0;

  constructor() {
    for (const id of ['a1', 'a2']) this.routers.set(id, { revision: 1, route: 0, here: true, interfaces: new Set() });
    for (const id of ['b1', 'b2']) this.networks.set(id, { here: true });
  }

  router(id: string): SyncedRouter {
    const { revision, route, interfaces } = must(this.routers.get(id));
    return router(id, {
      revision_number: revision,
      routes: route === 0 ? [] : [{ destination: `10.${route}.0.0/16`, nexthop: '10.0.0.9' }],
      _interfaces: [...interfaces].map((net) =>
        routerPort(`d${id}${net}`, net, [subnet(`c${net}`, net, '10.0.0.0/24')], { [`c${net}`]: '10.0.0.1' }),
      ),
      _floatingips: [...this.fips.keys()].map((fip) => this.fip(fip)).filter((fip) => fip.router_id === id),
    });
  }

  fip(id: string): FloatingIp {
    const { revision, router } = must(this.fips.get(id));
    return floatingIp(id, router, { revision_number: revision, fixed_ip_address: `10.0.0.${revision % 250}` });
  }

  port(id: string): Port {
    const { revision, network, mac } = must(this.ports.get(id));
    return port(id, network, { revision_number: revision, mac_address: `fa:16:3e:00:00:${10 + (mac % 80)}` });
  }

  network(id: string): DhcpNetwork {
    const ports = [...this.ports.keys()].map((name) => this.port(name)).filter((member) => member.network_id === id);
    return network(id, [subnet(`c${id}`, id, '10.0.0.0/24')], ports);
  }

  hosted(): SyncedRouter[] {
    return [...this.routers].filter(([, { here }]) => here).map(([id]) => this.router(id));
  }

  scheduled(): DhcpNetwork[] {
    return [...this.networks].filter(([, { here }]) => here).map(([id]) => this.network(id));
  }

  /** One change, chosen by two numbers, and the message about it. */
  change(what: number, which: number): void {
    const routerId = which % 2 === 0 ? 'a1' : 'a2';
    const networkId = which % 4 < 2 ? 'b1' : 'b2';
    const fipId = [...this.fips.keys()][which % 3] ?? `f${this.#dead}${which % 3}`;
    const portId = [...this.ports.keys()][which % 3] ?? `${this.#dead}${which % 3}`;
    const held = must(this.routers.get(routerId));
    switch (what % 8) {
      case 0: {
        held.revision += 1;
        held.route = (held.route + 1) % 5;
        const message = this.router(routerId);
        this.flight.push({ deliver: (mirror) => mirror.patchRouter(message) });
        break;
      }
      case 1:
        // Only a cast without content tells of this: the next list must.
        held.revision += 1;
        if (!held.interfaces.delete(networkId)) held.interfaces.add(networkId);
        break;
      case 2:
        held.here = !held.here;
        if (!held.here) this.flight.push({ deliver: (mirror) => mirror.removeRouter(routerId) });
        break;
      case 3: {
        const revision = (this.fips.get(fipId)?.revision ?? 0) + 1;
        this.fips.set(fipId, { revision, router: which % 5 === 0 ? null : routerId });
        const message = this.fip(fipId);
        this.flight.push({ tells: fipId, deliver: (mirror) => mirror.patchFloatingIp(message) });
        break;
      }
      case 4:
        if (this.ports.has(portId)) {
          this.#dead += 1;
          this.ports.delete(portId);
          this.flight.push({ ends: portId, deliver: (mirror) => mirror.removePort(portId) });
        }
        break;
      case 5: {
        const before = this.ports.get(portId);
        const revision = (before?.revision ?? 0) + 1;
        this.ports.set(portId, { revision, network: before?.network ?? networkId, mac: which });
        const message = this.port(portId);
        this.flight.push({ tells: portId, deliver: (mirror) => mirror.patchPort(message) });
        break;
      }
      case 6: {
        const net = must(this.networks.get(networkId));
        net.here = !net.here;
        if (!net.here) this.flight.push({ deliver: (mirror) => mirror.unscheduleNetwork(networkId) });
        else this.flight.push({ deliver: (mirror) => mirror.scheduleNetwork(networkId) });
        break;
      }
      default:
        if (this.fips.has(fipId)) {
          this.#dead += 1;
          this.fips.delete(fipId);
          this.flight.push({ ends: fipId, deliver: (mirror) => mirror.removeFloatingIp(fipId) });
        }
    }
  }
}

/** A list in three moments: asked, read by the server, answered. */
interface List {
  readonly began: number;
  answer?: { readonly routers: SyncedRouter[]; readonly networks: DhcpNetwork[]; readonly read: number };
}

function finish(mirror: Mirror, list: List): void {
  if (list.answer === undefined) return;
  const { routers, networks } = list.answer;
  const ids = routers.map(({ id }) => id);
  mirror.ingestRouterIds(ids, list.began);
  mirror.ingestRouters(ids, routers, list.began);
  mirror.ingestNetworks(networks, list.began);
}

function stateOf(mirror: Mirror) {
  return {
    routers: mirror.routers
      .ids()
      .sort()
      .map((id) => {
        const { revision_number, routes, _interfaces } = must(mirror.routers.get(id));
        const networks = (_interfaces ?? []).map((member) => member.network_id).sort();
        const fips = mirror.floatingIps
          .ofRouter(id)
          .map((fip) => `${fip.id} ${fip.revision_number} ${fip.fixed_ip_address}`);
        return { id, revision_number, routes, networks, fips };
      }),
    networks: mirror.networks
      .scheduled()
      .sort()
      .map((id) => ({
        id,
        ports: mirror.networks
          .get(id)
          ?.ports.map((member) => `${member.id} ${member.revision_number} ${member.mac_address}`),
      })),
  };
}

function truthState(truth: Truth) {
  const mirror = new Mirror();
  finish(mirror, { began: mirror.stamp(), answer: { routers: truth.hosted(), networks: truth.scheduled(), read: 0 } });
  return stateOf(mirror);
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('change' as const), a: fc.nat(999), b: fc.nat(999) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('deliver' as const, 'repeat' as const, 'lose' as const),
      a: fc.nat(999),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('ask' as const, 'read' as const, 'answer' as const), a: fc.nat(999) }),
  },
);

test('any order, doubling and loss of messages, then a list: the mirror is the truth, and never went back', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const truth = new Truth();
      const mirror = new Mirror();
      const lists: List[] = [];
      const told = new Map<string, number>();
      const ended = new Map<string, number>();
      let newest = 0;
      for (const next of steps) {
        const before = revisions(mirror);
        const state = JSON.stringify(stateOf(mirror));
        const list = lists[next.a % Math.max(1, lists.length)];
        if (next.do === 'change') truth.change(next.a, next.b);
        else if (next.do === 'ask') lists.push({ began: mirror.stamp() });
        else if (next.do === 'read' && list !== undefined) {
          list.answer ??= { routers: truth.hosted(), networks: truth.scheduled(), read: mirror.stamp() };
        } else if (next.do === 'answer' && list?.answer !== undefined) {
          finish(mirror, list);
          // All of it is older than what has been answered already.
          if (list.answer.read < newest) expect(JSON.stringify(stateOf(mirror))).toBe(state);
          newest = Math.max(newest, list.began);
          for (const [id, stamp] of ended) if (stamp < list.began) ended.delete(id);
          const homes = homesOf(mirror);
          for (const [id, home] of homesBefore(before)) {
            // What was told after the list was asked for is not in the list, and stays.
            if ((told.get(id) ?? 0) > list.began && homes.has(home)) expect(revisions(mirror).has(id)).toBe(true);
          }
        } else if (['deliver', 'repeat', 'lose'].includes(next.do) && truth.flight.length > 0) {
          const at = next.a % truth.flight.length;
          const message = must(truth.flight[at]);
          if (next.do !== 'lose') {
            message.deliver(mirror);
            if (message.tells !== undefined && revisions(mirror).has(message.tells))
              told.set(message.tells, mirror.stamp());
            if (message.ends !== undefined) ended.set(message.ends, mirror.stamp());
          }
          if (next.do !== 'repeat') truth.flight.splice(at, 1);
        }
        const after = revisions(mirror);
        for (const [id, { revision }] of before)
          expect(after.get(id)?.revision ?? revision).toBeGreaterThanOrEqual(revision);
        for (const id of ended.keys()) expect(after.has(id)).toBe(false);
      }
      finish(mirror, {
        began: mirror.stamp(),
        answer: { routers: truth.hosted(), networks: truth.scheduled(), read: 0 },
      });
      expect(stateOf(mirror)).toEqual(truthState(truth));
    }),
    { numRuns: 2000 },
  );
});

test('a patch that changes nothing concerns nobody; one that does names its router', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('f1', 'f2'), fc.constantFrom('a1', 'a2', null), fc.nat(5))),
      (patches) => {
        const mirror = new Mirror();
        mirror.ingestRouters(['a1', 'a2'], [router('a1'), router('a2')], mirror.stamp());
        for (const [id, to, revision] of patches) {
          const before = fipsOf(mirror);
          const keys = mirror.patchFloatingIp(floatingIp(id, to, { revision_number: revision }));
          const after = fipsOf(mirror);
          const differing = ['a1', 'a2'].filter((routerId) => before.get(routerId) !== after.get(routerId));
          expect(keys.map((key) => key.id).sort()).toEqual(differing);
        }
      },
    ),
  );
});

function fipsOf(mirror: Mirror): Map<string, string> {
  const ids = (routerId: string) =>
    mirror.floatingIps
      .ofRouter(routerId)
      .map(({ id }) => id)
      .join();
  return new Map(['a1', 'a2'].map((routerId) => [routerId, ids(routerId)]));
}

/** Every object held, with its revision and the router or network it belongs to. */
function revisions(mirror: Mirror): Map<string, { readonly revision: number; readonly home: string }> {
  const found = new Map<string, { readonly revision: number; readonly home: string }>();
  for (const held of mirror.routers.values()) found.set(held.id, { revision: held.revision_number, home: held.id });
  for (const router of mirror.routers.ids()) {
    for (const fip of mirror.floatingIps.ofRouter(router))
      found.set(fip.id, { revision: fip.revision_number, home: router });
  }
  for (const id of mirror.networks.ids()) {
    for (const port of mirror.networks.get(id)?.ports ?? [])
      found.set(port.id, { revision: port.revision_number, home: id });
  }
  return found;
}

function homesBefore(before: ReturnType<typeof revisions>): [string, string][] {
  return [...before].map(([id, { home }]) => [id, home]);
}

function homesOf(mirror: Mirror): Set<string> {
  return new Set([...mirror.routers.ids(), ...mirror.networks.ids()]);
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('missing');
  return value;
}
