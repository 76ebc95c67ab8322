import { afterEach, describe, expect, test } from 'vitest';
import { errors } from '../errors.ts';
import { defaultBackoff } from '../queue/backoff.ts';
import { Priority } from '../queue/priority.ts';
import { Rig, routerKey, somePort } from './rig.ts';

const fip = (last: number) => ({ floating_ip: `203.0.113.${last}`, fixed_ip: '10.0.0.5' });
const slow = errors.make('APPLIANCE_TIMEOUT', { operation: 'push' });
const broken = new Error('init failed');
const away = errors.make('PROVIDER_UNREACHABLE', { socket: '/nowhere', reason: 'ECONNREFUSED' });

let rig: Rig;
afterEach(async () => {
  const stopped = rig.engine.stop(0);
  await rig.pass(1);
  await stopped;
});

async function configured(id = 'a'): Promise<void> {
  rig.want(id);
  await rig.engine.start();
  await rig.pass(50);
  expect(rig.engine.resource(routerKey(id))).toMatchObject({ phase: 'CONFIGURED' });
  rig.host.calls.length = 0;
  rig.driver.applied.length = 0;
}

describe('a resource that is wanted', () => {
  test('gets an instance and its configuration, and is reported', async () => {
    rig = new Rig({ latency: { ensure: 40, push: 10 } });
    rig.want('a', { floating_ips: [fip(1)] }, [somePort()]);
    await rig.engine.start();
    await rig.pass(45);
    expect(rig.engine.resource(routerKey('a'))).toMatchObject({ phase: 'UP', boots: 1 });
    await rig.pass(10);
    expect(rig.host.calls.map(({ operation }) => operation)).toEqual(['list', 'ensure', 'push']);
    expect(rig.host.configs.get('a')?.floating_ips).toEqual([fip(1)]);
    expect(rig.driver.applied.map(({ id }) => id)).toEqual(['a']);
    expect(rig.engine.resource(routerKey('a'))).toMatchObject({
      phase: 'CONFIGURED',
      boots: 0,
      convergence: 0.05,
      last_error: null,
    });
  });

  test('a floating IP on a configured router is one PUT to the appliance and nothing else', async () => {
    rig = new Rig();
    await configured();
    rig.want('a', { floating_ips: [fip(1)] });
    rig.engine.enqueue(routerKey('a'), Priority.user);
    await rig.pass(0);
    expect(rig.host.calls).toEqual([{ operation: 'push', id: 'a' }]);
    expect(rig.driver.applied).toHaveLength(1);
  });

  test('nothing is pushed that is in force, but it is reported again', async () => {
    rig = new Rig();
    await configured();
    rig.engine.enqueue(routerKey('a'), Priority.user);
    await rig.pass(0);
    expect(rig.host.calls).toEqual([]);
    expect(rig.driver.applied).toHaveLength(1);
  });

  test('interfaces are converged before the configuration that names them', async () => {
    rig = new Rig();
    await configured();
    const port = somePort();
    rig.want('a', { hostname: 'other' }, [port]);
    rig.engine.enqueue(routerKey('a'), Priority.user);
    await rig.pass(0);
    expect(rig.host.calls.map(({ operation }) => operation)).toEqual(['ensure', 'push']);
    expect(rig.host.instances[0]?.attachments).toEqual([port]);
  });

  test('30 changes in a second become a few applies, the last of them the last change', async () => {
    rig = new Rig({ latency: { push: 5 } });
    await configured();
    for (let change = 1; change <= 30; change++) {
      rig.want('a', { floating_ips: [fip(change)] });
      rig.engine.enqueue(routerKey('a'), Priority.user);
      await rig.pass(33);
    }
    await rig.pass(400);
    expect(rig.host.configs.get('a')?.floating_ips).toEqual([fip(30)]);
    expect(rig.host.count('push')).toBeLessThanOrEqual(10);
    expect(rig.engine.idle).toBe(true);
  });

  test('30 changes at once are two applies: the first, and all others', async () => {
    rig = new Rig({ latency: { push: 5 } });
    await configured();
    for (let change = 1; change <= 30; change++) {
      rig.want('a', { floating_ips: [fip(change)] });
      rig.engine.enqueue(routerKey('a'), Priority.user);
      await rig.pass(0);
    }
    await rig.pass(400);
    expect(rig.host.configs.get('a')?.floating_ips).toEqual([fip(30)]);
    expect(rig.host.count('push')).toBe(2);
  });

  test('the convergence time runs from the earliest change, and is measured once', async () => {
    rig = new Rig({ latency: { push: 20 } });
    await configured();
    rig.want('a', { floating_ips: [fip(1)] });
    await rig.pass(80);
    rig.engine.enqueue(routerKey('a'), Priority.user);
    await rig.pass(100);
    expect(rig.engine.resource(routerKey('a')).convergence).toBe(0.1);
  });

  test('shows that a service is down, and that it is back', async () => {
    rig = new Rig();
    await configured();
    rig.host.disturb('a', { services: [{ name: 'dnsmasq', wanted: true, running: false }] });
    await rig.pass(3000);
    expect(rig.engine.resource(routerKey('a'))).toMatchObject({ phase: 'DEGRADED', rule: 'service down' });
    rig.host.disturb('a', { services: [{ name: 'dnsmasq', wanted: true, running: true }] });
    await rig.pass(3000);
    expect(rig.engine.resource(routerKey('a'))).toMatchObject({ phase: 'CONFIGURED' });
    expect(rig.host.count('push') + rig.host.count('ensure') + rig.host.count('destroy')).toBe(0);
  });

  test('is made again when it died or vanished', async () => {
    rig = new Rig();
    await configured();
    rig.host.disturb('a', { state: 'dead' });
    await rig.pass(3000);
    expect(rig.host.calls.map(({ operation }) => operation)).toEqual(['list', 'destroy', 'ensure', 'push']);
    rig.host.disturb('a', undefined);
    await rig.pass(3000);
    expect(rig.host.instances).toMatchObject([{ id: 'a', state: 'running' }]);
    expect(rig.engine.resource(routerKey('a'))).toMatchObject({ phase: 'CONFIGURED' });
  });

  test('gets back a configuration or an interface that was lost behind our back', async () => {
    rig = new Rig();
    await configured();
    rig.host.disturb('a', { applied: null, attachments: [somePort()] });
    await rig.pass(3000);
    expect(rig.host.instances).toMatchObject([{ attachments: [], applied: { etag: expect.any(String) } }]);
  });

  test('an operator rebuilds it', async () => {
    rig = new Rig();
    await configured();
    rig.engine.rebuild(routerKey('a'));
    await rig.pass(0);
    expect(rig.host.calls.map(({ operation }) => operation)).toEqual(['destroy', 'ensure', 'push']);
    await rig.pass(60_000);
    expect(rig.host.count('destroy')).toBe(1);
    expect(() => rig.engine.rebuild(routerKey('b'))).toThrow('no router b');
  });
});

describe('a resource that is not wanted', () => {
  test('has its instance destroyed', async () => {
    rig = new Rig();
    await configured();
    rig.driver.wanted.delete('a');
    rig.engine.enqueue(routerKey('a'), Priority.user);
    await rig.pass(0);
    expect(rig.host.instances).toEqual([]);
    expect(rig.driver.removed).toEqual(['a']);
    expect(rig.engine.resources()).toEqual([]);
  });

  test('is collected when nobody tells, but not before the mirror is filled', async () => {
    rig = new Rig();
    await configured('orphan');
    rig.driver.wanted.clear();
    rig.driver.filled = false;
    rig.restart();
    await rig.engine.start();
    await rig.pass(60_000);
    expect(rig.host.instances).toHaveLength(1);
    rig.driver.filled = true;
    await rig.pass(3000);
    expect(rig.host.instances).toEqual([]);
  });

  test('is left alone while it is not known whether it is wanted', async () => {
    rig = new Rig();
    await configured();
    rig.driver.unknown.add('a');
    rig.driver.wanted.delete('a');
    rig.host.disturb('a', { state: 'dead' });
    rig.engine.enqueue(routerKey('a'), Priority.user);
    await rig.pass(60_000);
    expect(rig.host.calls.every(({ operation }) => operation === 'list')).toBe(true);
  });

  test('a second instance of a resource is destroyed', async () => {
    rig = new Rig();
    await configured();
    await rig.host.ensure('old', { resource: routerKey('a'), attachments: [] }, AbortSignal.timeout(1000));
    await rig.pass(3000);
    expect(rig.host.instances.map(({ id }) => id)).toEqual(['a']);
  });
});

describe('after a restart', () => {
  test('adopts what runs: nothing is made, nothing is pushed, all is reported', async () => {
    rig = new Rig();
    await configured();
    rig.restart();
    await rig.engine.start();
    await rig.pass(10_000);
    expect(new Set(rig.host.calls.map(({ operation }) => operation))).toEqual(new Set(['list']));
    expect(rig.driver.applied[0]).toMatchObject({ id: 'a' });
  });

  test('generations go on growing, also when the clock was set back', async () => {
    rig = new Rig();
    await configured();
    const future = rig.now() + 1e9;
    rig.host.disturb('a', { applied: { generation: future, etag: 'another' } });
    rig.restart();
    await rig.engine.start();
    await rig.pass(0);
    expect(rig.host.configs.get('a')?.generation).toBe(future + 1);
  });
});

describe('when things fail', () => {
  test('tries again, and a new change does not wait for that', async () => {
    rig = new Rig();
    await configured();
    rig.host.fail('push', slow, 6);
    rig.want('a', { floating_ips: [fip(1)] });
    rig.engine.enqueue(routerKey('a'), Priority.user);
    await rig.pass(1000);
    expect(rig.engine.resource(routerKey('a'))).toMatchObject({
      last_error: { code: 'APPLIANCE_TIMEOUT', step: 'configure' },
    });
    rig.host.mend();
    rig.want('a', { floating_ips: [fip(2)] });
    rig.engine.enqueue(routerKey('a'), Priority.user);
    await rig.pass(400); // the failed applies count towards its budget; the back-off is longer by now
    expect(rig.host.configs.get('a')?.floating_ips).toEqual([fip(2)]);
    expect(rig.engine.resource(routerKey('a')).last_error).toBeNull();
  });

  test('what nobody can mend waits for the next event', async () => {
    rig = new Rig({ health: { resync: 1e9 } });
    await configured();
    rig.host.fail('push', errors.make('REQUEST_INVALID', { reason: 'test' }), 99);
    rig.want('a', { floating_ips: [fip(1)] });
    rig.engine.enqueue(routerKey('a'), Priority.user);
    await rig.pass(600_000);
    expect(rig.host.count('push')).toBe(1);
    rig.engine.enqueue(routerKey('a'), Priority.user);
    await rig.pass(0);
    expect(rig.host.count('push')).toBe(2);
  });

  test('five failed boots are an ERROR; polls do not clear it, a change does after the cool-down', async () => {
    rig = new Rig({ health: { resync: 1e9 } });
    rig.host.fail('ensure', broken, 1000);
    rig.want('a');
    await rig.engine.start();
    await rig.pass(25_000);
    expect(rig.host.count('ensure')).toBe(5);
    expect(rig.engine.resource(routerKey('a'))).toMatchObject({ phase: 'ERROR', boots: 5 });
    await rig.pass(600_000);
    expect(rig.host.count('ensure')).toBe(5);
    rig.host.mend();
    rig.engine.enqueue(routerKey('a'), Priority.user);
    await rig.pass(0);
    expect(rig.engine.resource(routerKey('a'))).toMatchObject({ phase: 'CONFIGURED', boots: 0, last_error: null });
  });

  test('a change during the cool-down is not lost', async () => {
    rig = new Rig({ health: { resync: 1e9 } });
    rig.host.fail('ensure', broken, 5);
    rig.want('a');
    await rig.engine.start();
    await rig.pass(5_000);
    expect(rig.engine.resource(routerKey('a'))).toMatchObject({ phase: 'ERROR' });
    rig.engine.enqueue(routerKey('a'), Priority.user);
    await rig.pass(20_000);
    expect(rig.host.count('ensure')).toBe(5);
    await rig.pass(10_000);
    expect(rig.engine.resource(routerKey('a'))).toMatchObject({ phase: 'CONFIGURED' });
  });

  test('a resync after the cool-down tries once, so that nobody has to act when the cause is gone', async () => {
    rig = new Rig();
    rig.host.fail('ensure', broken, 6);
    rig.want('a');
    await rig.engine.start();
    await rig.pass(5_000);
    expect(rig.host.count('ensure')).toBe(5);
    await rig.pass(130_000);
    expect(rig.host.count('ensure')).toBe(7);
    expect(rig.engine.resource(routerKey('a'))).toMatchObject({ phase: 'CONFIGURED' });
  });

  test('instances that die before they are configured count as failed boots', async () => {
    rig = new Rig({ health: { resync: 1e9 } });
    rig.host.fail('push', slow, 1e9);
    rig.want('a');
    await rig.engine.start();
    for (let turn = 0; turn < 20; turn++) {
      await rig.pass(10_000);
      rig.host.disturb('a', { state: 'dead' });
    }
    expect(rig.host.count('ensure')).toBe(5);
    expect(rig.engine.resource(routerKey('a'))).toMatchObject({ phase: 'ERROR' });
  });

  test('a provider that is away costs no boots, and its return ends all waiting', async () => {
    rig = new Rig();
    rig.host.fail('ensure', away, 1e9);
    rig.host.fail('list', away, 1e9);
    rig.want('a');
    await rig.engine.start();
    expect(rig.engine.providerReason).toContain('ECONNREFUSED');
    await rig.pass(60_000);
    rig.host.mend();
    await rig.pass(500);
    expect(rig.engine.resource(routerKey('a'))).toMatchObject({ phase: 'CONFIGURED', boots: 0 });
    expect(rig.engine.providerReason).toBeUndefined();
    rig.host.fail('ensure', away, 1e9);
    rig.host.fail('list', away, 1e9);
    rig.want('b');
    rig.engine.enqueue(routerKey('b'), Priority.user);
    await rig.pass(60_000);
    expect(rig.engine.resource(routerKey('b'))).toMatchObject({
      boots: 0,
      last_error: { code: 'PROVIDER_UNREACHABLE' },
    });
    rig.host.mend();
    await rig.pass(500);
    expect(rig.engine.resource(routerKey('b'))).toMatchObject({ phase: 'CONFIGURED' });
  });

  test('a failed operation makes us look at once what there is', async () => {
    rig = new Rig();
    await configured();
    rig.host.disturb('a', { state: 'dead' });
    rig.want('a', { floating_ips: [fip(1)] });
    rig.engine.enqueue(routerKey('a'), Priority.user);
    await rig.pass(200);
    expect(rig.host.instances).toMatchObject([{ state: 'running', applied: { etag: expect.any(String) } }]);
  });
});

describe('when many die at once', () => {
  const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

  async function massacre(dead: number): Promise<void> {
    rig = new Rig();
    for (const id of ids) rig.want(id);
    await rig.engine.start();
    await rig.pass(0);
    for (const id of ids.slice(0, dead)) rig.host.disturb(id, { state: 'dead' });
    await rig.pass(10_000);
  }

  test('none is rebuilt, and it is said why', async () => {
    await massacre(5);
    expect(rig.host.count('destroy')).toBe(0);
    expect(rig.engine.breakerReason).toContain('5 of 8');
    expect(rig.engine.resource(routerKey('a'))).toMatchObject({ phase: 'DOWN', rule: 'dead, and many others too' });
  });

  test('they are, when most come back', async () => {
    await massacre(5);
    for (const id of ids.slice(1, 5)) rig.host.disturb(id, { state: 'running' });
    await rig.pass(3000);
    expect(rig.engine.breakerReason).toBeUndefined();
    expect(rig.host.calls.filter(({ operation }) => operation === 'destroy')).toEqual([
      { operation: 'destroy', id: 'a' },
    ]);
  });

  test('they are, when an operator says so', async () => {
    await massacre(5);
    rig.engine.resetBreaker();
    await rig.pass(10_000);
    expect(rig.host.instances.every(({ state }) => state === 'running')).toBe(true);
  });

  test('a few are rebuilt', async () => {
    await massacre(4);
    expect(rig.host.instances.every(({ state }) => state === 'running')).toBe(true);
  });
});

describe('what changes while it runs', () => {
  const settings = { workers: 8, backoff: defaultBackoff, healthInterval: 3_000 };

  test('more workers take up what waits, fewer leave it', async () => {
    rig = new Rig({ workers: 1, latency: { ensure: 1_000, push: 1_000 } });
    for (const id of ['a', 'b', 'c', 'd']) rig.want(id);
    await rig.engine.start();
    await rig.pass(1);
    expect(rig.host.count('ensure')).toBe(1);
    rig.engine.configure({ ...settings, workers: 3 });
    await rig.pass(1);
    expect(rig.host.count('ensure')).toBe(3);
    rig.engine.configure({ ...settings, workers: 1 });
    await rig.pass(3_500);
    expect(rig.host.count('ensure')).toBe(4);
    await rig.pass(3_000);
    for (const id of ['a', 'b', 'c', 'd']) {
      expect(rig.engine.resource(routerKey(id))).toMatchObject({ phase: 'CONFIGURED' });
    }
  });

  test('the health interval, at once and in both directions', async () => {
    rig = new Rig({ health: { interval: 3_600_000 } });
    await configured();
    rig.engine.configure({ ...settings, healthInterval: 1_000 });
    await rig.pass(10_000);
    expect(rig.host.count('list')).toBe(10);
    rig.engine.configure({ ...settings, healthInterval: 60_000 });
    await rig.pass(59_000);
    expect(rig.host.count('list')).toBe(10);
    await rig.pass(61_000);
    expect(rig.host.count('list')).toBe(12);
  });

  test('with another back-off, what backs off is tried at once; with the same it is not', async () => {
    const long = { ...defaultBackoff, base: 60_000, max: 3_600_000 };
    rig = new Rig({ backoff: long, health: { resync: 1e9 } });
    await configured();
    rig.host.fail('push', slow, 99);
    rig.want('a', { floating_ips: [fip(1)] });
    rig.engine.enqueue(routerKey('a'), Priority.user);
    await rig.pass(0);
    rig.engine.configure({ ...settings, backoff: { ...long } });
    await rig.pass(1_000);
    expect(rig.host.count('push')).toBe(1);
    rig.engine.configure({ ...settings, backoff: { ...long, max: 10_000 } });
    await rig.pass(0);
    expect(rig.host.count('push')).toBe(2);
    await rig.pass(10_000);
    expect(rig.host.count('push')).toBeGreaterThan(2);
  });
});
