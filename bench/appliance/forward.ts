import { Appliance } from '@astara/appliance/appliance.ts';
import { until } from '@astara/appliance/processes.ts';
import { World } from '@astara/appliance/testing/world.ts';
import { round, say } from '../lib/report.ts';
import { l3AgentRules, restore } from './l3-agent-rules.ts';
import { fixed, floating, router } from './router.ts';

const flood = new URL('flood.ts', import.meta.url).pathname;

const counter = `table netdev bench {
  chain in {
    type filter hook ingress device "eth0" priority 0
    udp dport >= 1024 counter drop
  }
}
`;

/** `none`: plain forwarding, no rules at all. */
export type Rules = 'none' | 'astara' | 'l3-agent';

export interface Forwarding {
  readonly rules: Rules;
  readonly floatingIps: number;
  /** TCP, one connection, bits per second: from inside out, and from outside to a floating IP (without any: none). */
  readonly throughput: { readonly out: number; readonly in?: number };
  /** UDP, flows per second whose first datagram arrived. */
  readonly newFlows: { readonly out: number; readonly in?: number };
}

/**
 * out (198.51.100.1) ── qg [router] qr ── inside (10.1.x.y), whose floating IP is the last of all: in a list of rules it is found last.
 */
export async function forwarding(rules: Rules, floatingIps: number, repeat: number): Promise<Forwarding> {
  const world = await World.create();
  let appliance: Appliance | undefined;
  try {
    const inside = floatingIps === 0 ? '10.1.0.10' : fixed(floatingIps - 1);
    await world.segment('ext', 'qg');
    await world.segment('int', 'qr');
    await world.host('out', 'ext', { addresses: ['198.51.100.1/24'] });
    await world.host('inside', 'int', { addresses: [`${inside}/8`], gateway: '10.0.0.1' });
    if (rules === 'astara') {
      appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
      await appliance.apply(router(1, floatingIps));
    } else {
      await world.ip([
        ...['198.51.100.2/24 dev qg', '10.0.0.1/8 dev qr'].map((text) => `-n ${world.name('r')} addr add ${text}`),
        ...['qg', 'qr'].map((ifname) => `-n ${world.name('r')} link set ${ifname} up`),
        `-n ${world.name('r')} route add default via 198.51.100.1`,
      ]);
      await world.exec('r', ['sysctl', '-qw', 'net.ipv4.ip_forward=1']);
      if (rules === 'l3-agent') await restore(world.name('r'), l3AgentRules(floatingIps));
    }
    // Plain forwarding knows the inside as it is.
    const reach = rules === 'none' ? inside : floatingIps === 0 ? undefined : floating(floatingIps - 1);
    await world.ip(
      ['198.18.0.0/15', '10.0.0.0/8'].map((cidr) => `-n ${world.name('out')} route add ${cidr} via 198.51.100.2`),
    );
    if (!(await world.eventuallyPings('inside', '198.51.100.1'))) throw new Error(`${rules}: no way out`);
    if (reach !== undefined && !(await world.eventuallyPings('out', reach))) throw new Error(`${rules}: no way in`);

    const measured = async (measure: (from: string, to: string) => Promise<number>) => {
      const median = async (from: string, to: string) => {
        const values: number[] = [];
        for (let time = 0; time < repeat; time += 1) values.push(await measure(from, to));
        return round(values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN);
      };
      const out = await median('inside', '198.51.100.1');
      return reach === undefined ? { out } : { out, in: await median('out', reach) };
    };
    for (const host of ['out', 'inside']) {
      await world.background(host, ['iperf3', '-s']);
      await until(async () => (await world.exec(host, ['ss', '-Hltn', 'sport = :5201'])).stdout !== '', 5_000);
    }
    const throughput = await measured((from, to) => iperf(world, from, to));
    // What arrives is counted and dropped, so that nobody answers.
    for (const host of ['out', 'inside']) {
      const { status, stderr } = await world.exec(host, ['nft', '-f', '-'], { input: counter });
      if (status !== 0) throw new Error(`nft: ${stderr}`);
    }
    const flows = rules === 'l3-agent' && floatingIps >= 10_000 ? 2_000 : 50_000;
    const newFlows = await measured((from, to) => newFlowRate(world, from, to, flows));
    const result = { rules, floatingIps, throughput, newFlows };
    say(JSON.stringify(result));
    return result;
  } finally {
    await appliance?.close();
    await world.destroy();
  }
}

async function iperf(world: World, from: string, to: string): Promise<number> {
  const { stdout, stderr } = await world.exec(from, ['iperf3', '-c', to, '-t', '3', '-J'], { timeout: 30_000 });
  const result = JSON.parse(stdout) as { end?: { sum_received?: { bits_per_second: number } } };
  const rate = result.end?.sum_received?.bits_per_second;
  if (rate === undefined) throw new Error(`iperf3: ${stderr}${stdout.slice(0, 200)}`);
  return rate;
}

async function newFlowRate(world: World, from: string, to: string, flows: number): Promise<number> {
  const receiver = from === 'out' ? 'inside' : 'out';
  await world.exec('r', ['conntrack', '-F']);
  const before = await arrived(world, receiver);
  const { stdout, stderr } = await world.exec(from, [process.execPath, flood, to, String(flows)], { timeout: 120_000 });
  const seconds = Number(stdout);
  if (!(seconds > 0)) throw new Error(`flood: ${stderr}`);
  return ((await arrived(world, receiver)) - before) / seconds;
}

async function arrived(world: World, host: string): Promise<number> {
  const { stdout } = await world.exec(host, ['nft', 'list', 'table', 'netdev', 'bench']);
  return Number(/packets (\d+)/.exec(stdout)?.[1] ?? 0);
}
