import { expect, it } from 'vitest';
import { until } from '../../processes.ts';
import { haLab } from '../../testing/ha-lab.ts';
import type { HaWorld } from '../../testing/ha-world.ts';

const create = haLab();

/** Echoes; to who begins with `pull` it sends something every 10 ms. */
const server = `
require('node:net').createServer((socket) => {
  let timer;
  socket.on('error', () => clearInterval(timer));
  socket.on('data', (data) => {
    if (data.toString() !== 'pull') socket.write(data);
    else timer = setInterval(() => socket.write('x'), 10);
  });
}).listen(7000, '::', () => console.log('listening'));
`;

/** Says `connected`, then a dot for whatever it gets. */
const client = `
const [address, direction] = process.argv.slice(1);
const socket = require('node:net').connect(7000, address);
socket.on('error', (error) => console.log(error.code));
socket.on('connect', () => {
  console.log('connected');
  if (direction === 'pull') socket.write('pull');
  else setInterval(() => socket.write('x'), 10);
});
socket.on('data', () => process.stdout.write('.'));
`;

async function serve(two: HaWorld, host: string): Promise<void> {
  const process_ = await two.world.background(host, [process.execPath, '-e', server]);
  expect(await until(() => process_.output().includes('listening'), 5_000)).toBe(true);
}

async function connect(two: HaWorld, host: string, address: string, direction: 'push' | 'pull') {
  const process_ = await two.world.background(host, [process.execPath, '-e', client, address, direction]);
  const dots = () => process_.output().split('.').length;
  expect(await until(() => dots() > 20, 5_000)).toBe(true);
  return {
    goesOn: (timeout = 5_000) => {
      const before = dots();
      return until(() => dots() > before + 50, timeout);
    },
  };
}

/** Whether a member's kernel knows so many established connections to the test's port. */
async function knows(two: HaWorld, member: number, count: number): Promise<boolean> {
  return until(async () => {
    const both = await Promise.all(
      ['ipv4', 'ipv6'].map((family) =>
        two.on(member, [
          'conntrack',
          '-L',
          '-f',
          family,
          '-p',
          'tcp',
          '--orig-port-dst',
          '7000',
          '--state',
          'ESTABLISHED',
        ]),
      ),
    );
    return both.flatMap(({ stdout }) => stdout.split('\n')).filter((line) => line !== '').length >= count;
  }, 5_000);
}

it.each([
  { members: 2, versions: [4] },
  { members: 2, versions: [6] },
  { members: 3, versions: [4] },
  { members: 3, versions: [6] },
] as const)(
  '$members members in $versions: established connections survive the loss of the master, and its return',
  async ({ members, versions }) => {
    const two = await create(members, { versions });
    await serve(two, 'server');
    await serve(two, 'client');
    const all = await Promise.all([
      connect(two, 'client', '198.51.100.1', 'push'),
      connect(two, 'client', '198.51.100.1', 'pull'),
      connect(two, 'client', '198.51.100.3', 'push'),
      connect(two, 'client', '198.51.100.3', 'pull'),
      connect(two, 'server', '198.51.100.50', 'push'),
      connect(two, 'server', '198.51.100.50', 'pull'),
      connect(two, 'client', '2001:db8::1', 'push'),
      connect(two, 'client', '2001:db8::1', 'pull'),
    ]);
    expect(await knows(two, 2, 8)).toBe(true);
    await two.cut(1, 'blackhole');
    expect(await Promise.all(all.map(({ goesOn }) => goesOn()))).toEqual(all.map(() => true));
    // Of two masters that meet again the one of higher priority goes on.
    await two.mend(1);
    expect(await two.becomes(1)).toBe(true);
    expect(await Promise.all(all.map(({ goesOn }) => goesOn()))).toEqual(all.map(() => true));
  },
);

it('without conntrack_sync they do not: what the test above shows is conntrackd', async () => {
  const two = await create(2, { ha: { conntrack_sync: false } });
  await serve(two, 'server');
  const pull = await connect(two, 'client', '198.51.100.1', 'pull');
  await two.cut(1, 'blackhole');
  expect(await two.world.eventuallyPings('client', '198.51.100.1')).toBe(true);
  expect(await pull.goesOn(2_000)).toBe(false);
});
