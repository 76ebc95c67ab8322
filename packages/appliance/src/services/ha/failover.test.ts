import { describe, expect, it } from 'vitest';
import { until } from '../../processes.ts';
import { haLab } from '../../testing/ha-lab.ts';

/** Three advertisements and the skew, a neighbour that is asked twice (RFC 4861 §10, RETRANS_TIMER), and a busy machine. ms */
const DETECTED = 400 + 1_000 + 400;

const create = haLab();

describe('another member takes over', () => {
  it.each([
    { versions: [4], multicast: false },
    { versions: [4, 6], multicast: false },
    { versions: [4, 6], multicast: true },
  ] as const)(
    'when the host of the master dies (members hear each other in $versions, multicast $multicast)',
    async (options) => {
      const two = await create(2, options);
      const [v4, v6] = [await two.watch('198.51.100.1'), await two.watch('2001:db8::1')];
      await two.cut(1, 'blackhole');
      expect(await v4.recovered()).toBe(true);
      expect(await v6.recovered()).toBe(true);
      expect(v4.stop()).toBeLessThan(DETECTED);
      expect(v6.stop()).toBeLessThan(DETECTED);
      expect(await two.member(2).held()).toEqual({ held: 7, of: 7 });
    },
  );

  it('when the master loses one of its links, and the mastership stays when that comes back', async () => {
    const two = await create(2);
    const ping = await two.watch('198.51.100.1');
    await two.cut(1, 'down', ['int0']);
    expect(await two.becomes(2)).toBe(true);
    expect(await ping.recovered()).toBe(true);
    // The master says so itself: nobody waits for its silence.
    expect(ping.stop()).toBeLessThan(DETECTED);
    expect(await two.member(1).state()).toBe('FAULT');
    await two.mend(1, ['int0']);
    expect(await until(async () => (await two.member(1).state()) === 'BACKUP', 5_000)).toBe(true);
    expect(await two.becomes(2)).toBe(true);
  });

  it('when the master is stopped as planned', async () => {
    const two = await create(2);
    const ping = await two.watch('198.51.100.1');
    await two.member(1).stopAgent();
    await two.member(1).kill('keepalived', 'SIGTERM');
    expect(await two.becomes(2)).toBe(true);
    expect(await ping.recovered()).toBe(true);
    expect(ping.stop()).toBeLessThan(DETECTED);
  });

  it('also while no agent runs anywhere, and the next agent knows', async () => {
    const two = await create(2);
    const configs = await Promise.all(two.members.map((member) => member.stopAgent()));
    await two.cut(1, 'blackhole');
    expect(await until(async () => (await two.member(2).held()).held === 7, 5_000)).toBe(true);
    await two.member(2).start(configs[1]);
    expect(await until(async () => (await two.member(2).state()) === 'MASTER', 2_000)).toBe(true);
    expect((await two.member(2).checks()).filter(({ ok }) => !ok)).toEqual([]);
  });

  it('of three: one after the other', async () => {
    const three = await create(3);
    await three.cut(1, 'down');
    expect(await three.becomes(2)).toBe(true);
    await three.cut(2, 'down');
    expect(await three.becomes(3)).toBe(true);
    expect(await three.world.eventuallyPings('client', '198.51.100.1')).toBe(true);
  });
});

describe('a member that comes back', () => {
  it('is no master while one of its interfaces is unplugged, whatever its priority', async () => {
    const two = await create(2, { ha: { nopreempt: false } });
    await two.member(1).stopAgent();
    await two.member(1).kill('keepalived', 'SIGTERM');
    expect(await two.becomes(2)).toBe(true);
    await until(async () => (await two.member(1).pids('keepalived')).length === 0, 5_000);
    await two.cut(1, 'down', ['ext0']);
    await two.member(1).start();
    await two.member(1).apply();
    expect(await two.member(1).state()).toBe('FAULT');
    // Several times what it would take to preempt.
    const preempted = until(async () => (await two.member(1).state()) === 'MASTER', 1_500);
    expect(await preempted).toBe(false);
    expect(await two.becomes(2)).toBe(true);
    await two.mend(1, ['ext0']);
    expect(await two.becomes(1)).toBe(true);
  });
});
