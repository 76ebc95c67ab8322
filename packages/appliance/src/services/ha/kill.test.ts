import { describe, expect, it } from 'vitest';
import { signalProcess, until } from '../../processes.ts';
import { haLab } from '../../testing/ha-lab.ts';

const create = haLab();

describe('kill -9', () => {
  it.each(['parent', 'child', 'both'])(
    'of keepalived (%s): it is back within a second, and no packet is lost',
    async (which) => {
      const two = await create(2, { advertInterval: 500 });
      const ping = await two.watch('198.51.100.1');
      const former = await two.member(1).pids('keepalived');
      expect(former).toHaveLength(2);
      const victims = { parent: former.slice(0, 1), child: former.slice(1), both: former }[which] ?? [];
      for (const pid of victims) signalProcess(pid, 'SIGKILL');
      const back = async () => {
        const now = await two.member(1).pids('keepalived');
        return now.length === 2 && now.every((pid) => !former.includes(pid));
      };
      expect(await until(back, 1_500)).toBe(true);
      const master = async (number: number) => {
        return (await two.member(number).state()) === 'MASTER' && (await two.becomes(number, 0));
      };
      expect(await until(async () => (await master(1)) || (await master(2)), 12_000)).toBe(true);
      expect(await ping.recovered()).toBe(true);
      expect(ping.stop()).toBeLessThan(500);
    },
  );

  it('addresses that were left behind are removed when another member has taken over', async () => {
    const two = await create(2);
    await two.member(1).kill('keepalived');
    expect(await until(async () => (await two.member(2).held()).held === 7, 3_000)).toBe(true);
    expect(await two.becomes(2)).toBe(true);
    const routes = (await two.on(1, ['ip', 'route', 'show', 'default'])).stdout;
    expect(routes).toBe('');
    expect(await two.world.eventuallyPings('client', '198.51.100.1')).toBe(true);
  });

  it('of conntrackd: it is back within a second, and knows what the other knows and the other what it knows', async () => {
    const two = await create(2);
    const former = await two.member(2).pids('conntrackd');
    await two.member(2).kill('conntrackd');
    const known = async (number: number) => (await two.on(number, ['conntrack', '-L', '-d', '198.51.100.1'])).stdout;
    await two.on(2, ['conntrack', '-F']);
    const back = async () => (await two.member(2).pids('conntrackd')).some((pid) => !former.includes(pid));
    expect(await until(back, 1_500)).toBe(true);
    expect(await until(async () => (await known(2)).includes('src=10.1.0.10'), 3_000)).toBe(true);
  });
});
