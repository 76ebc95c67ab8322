import { configEtag } from '@astara/model/appliance/etag.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { errors } from '../errors.ts';
import { sameAttachments } from '../lifecycle/situation.ts';
import { operations } from '../providers/simulated.ts';
import { Priority } from '../queue/priority.ts';
import { Rig, routerKey, somePort } from './rig.ts';

const ids = ['a', 'b', 'c', 'd'];
const ports = [somePort(), somePort(), somePort()];
const faults = [
  errors.make('PROVIDER_UNREACHABLE', { socket: '/nowhere', reason: 'test' }),
  errors.make('APPLIANCE_TIMEOUT', { operation: 'test' }),
  errors.make('APPLIANCE_BAD_ANSWER', { operation: 'test', reason: 'test' }),
  errors.make('REQUEST_INVALID', { reason: 'test' }),
  new Error('anything'),
];

const id = fc.constantFrom(...ids);
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('want' as const),
      id,
      ports: fc.subarray(ports),
      address: fc.nat(3),
      tell: fc.constantFrom(...Object.values(Priority), undefined),
    }),
  },
  fc.record({ do: fc.constant('unwant' as const), id, tell: fc.constantFrom(Priority.user, undefined) }),
  fc.record({ do: fc.constant('die' as const), id }),
  fc.record({ do: fc.constant('vanish' as const), id }),
  fc.record({ do: fc.constant('lose' as const), id }),
  fc.record({ do: fc.constant('rebuild' as const), id }),
  fc.record({ do: fc.constant('restart' as const) }),
  fc.record({ do: fc.constant('mirror' as const), filled: fc.boolean() }),
  fc.record({
    do: fc.constant('fail' as const),
    operation: fc.constantFrom(...operations),
    error: fc.constantFrom(...faults),
    times: fc.integer({ min: 1, max: 8 }),
  }),
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 7, 30, 400, 5000) }) },
);

test('whatever happens: once it stops, the host is what is wanted, nothing more, and all of it has been reported', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const rig = new Rig({ latency: { list: 5, ensure: 20, destroy: 15, push: 8 } });
      void rig.engine.start();
      for (const one of steps) {
        if (one.do === 'want') {
          const address = { floating_ip: `203.0.113.${one.address}`, fixed_ip: '10.0.0.5' };
          rig.want(one.id, { floating_ips: [address] }, one.ports);
          if (one.tell !== undefined) rig.engine.enqueue(routerKey(one.id), one.tell);
        } else if (one.do === 'unwant') {
          rig.driver.wanted.delete(one.id);
          if (one.tell !== undefined) rig.engine.enqueue(routerKey(one.id), one.tell);
        } else if (one.do === 'die') {
          rig.host.disturb(one.id, { state: 'dead' });
        } else if (one.do === 'vanish') {
          rig.host.disturb(one.id, undefined);
        } else if (one.do === 'lose') {
          rig.host.disturb(one.id, { applied: null, attachments: [] });
        } else if (one.do === 'rebuild') {
          const known = rig.engine.resources().some(({ id: known }) => known === one.id);
          if (known) rig.engine.rebuild(routerKey(one.id));
        } else if (one.do === 'restart') {
          // kill -9: the operations under way go on at the host or are lost, and nobody hears of them.
          const { engine } = rig;
          rig.restart();
          void engine.stop(0);
          await rig.pass(1);
          void rig.engine.start();
        } else if (one.do === 'mirror') {
          rig.driver.filled = one.filled;
        } else if (one.do === 'fail') {
          rig.host.fail(one.operation, one.error, one.times);
        } else {
          await rig.pass(one.ms);
        }
      }
      rig.host.mend();
      rig.driver.filled = true;
      const reportedBefore = rig.driver.applied.length;
      // The longest wait of all: an operator-class failure (60 s), then the round in which all is looked at (30 s).
      await rig.pass(130_000);

      expect(rig.host.instances.map((view) => view.id).sort()).toEqual([...rig.driver.wanted.keys()].sort());
      for (const view of rig.host.instances) {
        const desired = rig.driver.wanted.get(view.id);
        if (desired === undefined) throw new Error('checked above');
        expect(view.state).toBe('running');
        expect(view.applied?.etag).toBe(configEtag(desired.config));
        expect(sameAttachments(view.attachments, desired.spec.attachments)).toBe(true);
        const reported = rig.driver.applied.slice(reportedBefore).filter((report) => report.id === view.id);
        expect(
          configEtag(
            reported.at(-1)?.desired.config ?? { hostname: '', tenant_id: '', networks: [], floating_ips: [] },
          ),
        ).toBe(view.applied?.etag);
      }
      expect(rig.engine.idle).toBe(true);
      expect(rig.engine.resources().map(({ phase }) => phase)).toEqual(rig.host.instances.map(() => 'CONFIGURED'));

      // And it is quiet then: nothing is done any more.
      rig.host.calls.length = 0;
      await rig.pass(100_000);
      expect(rig.host.calls.every(({ operation }) => operation === 'list')).toBe(true);
      void rig.engine.stop(0);
      await rig.pass(1);
    }),
    { numRuns: 300 },
  );
}, 120_000);
