import { parseArgs } from 'node:util';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { until } from '../packages/appliance/src/processes.ts';
import { HaWorld, type Member } from '../packages/appliance/src/testing/ha-world.ts';
import { finish, say, spread } from './lib/report.ts';

/**
 * Two members of one router in namespaces: how long a client gets no answer when the master fails in one way or another (a ping
 * every 10 ms, so 20 ms means that nothing was noticed), and what many addresses cost. `docs/guide/appliance/ha.md` explains.
 */
const { values: options } = parseArgs({
  options: {
    /** ms between advertisements */
    intervals: { type: 'string', default: '1000,100,30' },
    repeat: { type: 'string', default: '5' },
    addresses: { type: 'string', default: '10,1000,10000' },
  },
});
const numbers = (text: string) =>
  text
    .split(',')
    .filter((part) => part !== '')
    .map(Number);

const failures: Readonly<Record<string, (lab: HaWorld, master: Member) => Promise<void>>> = {
  'host dies': (lab, { number }) => lab.cut(number, 'blackhole'),
  'all links down': (lab, { number }) => lab.cut(number, 'down'),
  'one link down': (lab, { number }) => lab.cut(number, 'down', ['int0']),
  'planned stop': (_, master) => master.kill('keepalived', 'SIGTERM'),
  'keepalived killed': (_, master) => master.kill('keepalived', 'SIGKILL'),
};

/** Exactly one has everything, and says so. */
async function settled(lab: HaWorld): Promise<Member> {
  let found: Member | undefined;
  const one = async () => {
    const all = await Promise.all(
      lab.members.map(async (member) => ({ member, state: await member.state(), ...(await member.held()) })),
    );
    const masters = all.filter(({ state }) => state === 'MASTER');
    found = masters[0]?.member;
    return masters.length === 1 && all.every(({ state, held, of }) => held === (state === 'MASTER' ? of : 0));
  };
  if (!(await until(one, 60_000)) || found === undefined) throw new Error('the members do not agree on a master');
  return found;
}

async function failover(interval: number, repeat: number) {
  const lab = await HaWorld.create(2, { advertInterval: interval });
  try {
    await lab.settle();
    const table: Record<string, object> = {};
    for (const [name, fail] of Object.entries(failures)) {
      const gaps: Record<4 | 6, number[]> = { 4: [], 6: [] };
      for (let round = 0; round < repeat; round += 1) {
        const master = await settled(lab);
        const pings = { 4: await lab.watch('198.51.100.1'), 6: await lab.watch('2001:db8::1') };
        // At any moment between two advertisements.
        await new Promise((resolve) => setTimeout(resolve, Math.random() * interval));
        await fail(lab, master);
        await new Promise((resolve) => setTimeout(resolve, 4 * interval + 500));
        for (const version of [4, 6] as const) {
          await pings[version].recovered();
          gaps[version].push(pings[version].stop());
        }
        await lab.mend(master.number);
      }
      table[name] = { ipv4: spread(gaps[4]), ipv6: spread(gaps[6]) };
      say(`${interval} ms, ${name}: IPv4 ${gaps[4].sort((a, b) => a - b)} IPv6 ${gaps[6].sort((a, b) => a - b)} ms`);
    }
    return table;
  } finally {
    await lab.destroy();
  }
}

async function scale(count: number) {
  const floating = (n: number): ApplianceConfig['floating_ips'] =>
    Array.from({ length: n }, (_, index) => ({
      floating_ip: `100.64.${index >> 8}.${index & 255}`,
      fixed_ip: '10.1.0.10',
    }));
  // What the appliance does not warn of.
  const lab = await HaWorld.create(2, { advertInterval: count > 5_000 ? 2_000 : 1_000 });
  try {
    const set = async (n: number) => {
      const times = [];
      for (const member of lab.members) {
        times.push((await member.apply(member.config({ floating_ips: floating(n) })))?.ms ?? Number.NaN);
      }
      return times;
    };
    await set(count);
    const master = await settled(lab);
    const before = lab.members.map(({ events }) => events.length);
    const ping = await lab.watch('198.51.100.1');
    const [ms = Number.NaN] = await set(count + 1);
    const gap = ping.stop();
    const changes = lab.members.reduce((sum, { events }, index) => sum + events.length - (before[index] ?? 0), 0);
    const again = await lab.watch('198.51.100.1');
    const start = performance.now();
    await lab.cut(master.number, 'blackhole');
    const other = lab.members.find((member) => member !== master);
    const all = async () => {
      const { held, of } = (await other?.held()) ?? { held: 0, of: 1 };
      return held === of;
    };
    await until(all, 60_000);
    const taken = performance.now() - start;
    await again.recovered();
    const result = {
      addOneMs: Math.round(ms),
      gapMs: gap,
      stateChanges: changes,
      takeoverGapMs: again.stop(),
      takeoverAllMs: Math.round(taken),
    };
    say(`${count} addresses: ${JSON.stringify(result)}`);
    return result;
  } finally {
    await lab.destroy();
  }
}

const table: Record<string, object> = {};
for (const interval of numbers(options.intervals)) {
  table[`${interval} ms`] = await failover(interval, Number(options.repeat));
}
const addresses: Record<string, object> = {};
for (const count of numbers(options.addresses)) addresses[count] = await scale(count);
finish('ha', [], { failover: table, addresses });
