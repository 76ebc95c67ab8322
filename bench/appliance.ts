import { parseArgs } from 'node:util';
import { openKernel } from '@astara/kernel/open.ts';
import { BenchAgent } from './appliance/agent.ts';
import { type Applies, applies } from './appliance/apply.ts';
import { type DhcpHosts, dhcpHosts } from './appliance/dhcp.ts';
import { type Forwarding, forwarding } from './appliance/forward.ts';
import { type LinkTimes, measureLinks } from './appliance/links.ts';
import { router } from './appliance/router.ts';
import { type Figure, figure, finish, round, say } from './lib/report.ts';

/**
 * The appliance alone: what a change costs against the kernel's own floor, what its rules cost packets against rules written one
 * per address as neutron-l3-agent does, what a host of DHCP costs, and what it costs to have it all.
 */
const { values: options } = parseArgs({
  options: {
    'floating-ips': { type: 'string', default: '0,10,100,1000,10000' },
    forward: { type: 'string', default: '0,100,10000' },
    appliances: { type: 'string', default: '1,200' },
    repeat: { type: 'string', default: '5' },
    only: { type: 'string', default: 'links,apply,dhcp,agent,forward' },
    addresses: { type: 'string', default: '100,1000,10000' },
    hosts: { type: 'string', default: '10,1000,10000' },
  },
});
const numbers = (text: string) =>
  text
    .split(',')
    .filter((part) => part !== '')
    .map(Number);
const repeat = Number(options.repeat);
const parts = options.only.split(',');

const figures: Figure[] = [];
const agent = new BenchAgent();
const applied: Applies[] = [];
const forwarded: Forwarding[] = [];
const hosts: DhcpHosts[] = [];
const links: LinkTimes[] = [];
const agents: { appliances: number; start: number; memory: { agent: number; instances: number } }[] = [];
try {
  if (parts.includes('links')) {
    for (const count of numbers(options.addresses)) {
      for (const way of ['netlink', 'iproute2'] as const) links.push(await measureLinks(await openKernel(way), count));
    }
    say(JSON.stringify(links));
  }
  if (parts.includes('apply')) {
    await agent.start();
    for (const count of numbers(options['floating-ips'])) applied.push(await applies(agent, count, repeat));
    await agent.stop();
  }
  if (parts.includes('dhcp')) {
    for (const count of numbers(options.hosts)) hosts.push(await dhcpHosts(count, 0, repeat));
  }
  if (parts.includes('agent')) {
    for (const count of numbers(options.appliances)) agents.push(await many(count));
  }
  if (parts.includes('forward')) {
    forwarded.push(await forwarding('none', 0, 3));
    for (const count of numbers(options.forward)) {
      forwarded.push(await forwarding('astara', count, 3));
      forwarded.push(await forwarding('l3-agent', count, 3));
    }
  }
} finally {
  await agent.destroy();
}

for (const ours of links.filter(({ kernel }) => kernel === 'netlink')) {
  const peer = links.find(({ kernel, count }) => kernel === 'iproute2' && count === ours.count);
  if (peer === undefined) continue;
  const each = (name: string, mine: number, theirs: number) =>
    figures.push(figure(`${name} ${ours.count}, netlink against ip -batch`, 's', mine / 1000, theirs / 1000));
  each('addresses:', ours.addAddresses, peer.addAddresses);
  each('one address more than', ours.addOneAddress, peer.addOneAddress);
}
for (const { floatingIps, full, one, floor } of applied) {
  const ms = (name: string, ours: number, peer: number) => figures.push(figure(name, 's', ours / 1000, peer / 1000));
  if (floatingIps > 0) ms(`${floatingIps} floating IPs at once, against the kernel alone`, full.p50, floor.full.p50);
  ms(`one more than ${floatingIps}, against the kernel alone`, one.p50, floor.one.p50);
}
for (const ours of forwarded.filter(({ rules }) => rules === 'astara')) {
  const peer = forwarded.find(({ rules, floatingIps }) => rules === 'l3-agent' && floatingIps === ours.floatingIps);
  if (peer === undefined) continue;
  const each = (what: string, mine: number, theirs: number) =>
    figures.push(
      figure(`${what}, ${ours.floatingIps} floating IPs, against one rule per address`, 's', 1 / mine, 1 / theirs),
    );
  each('a new flow out', ours.newFlows.out, peer.newFlows.out);
  if (ours.newFlows.in !== undefined && peer.newFlows.in !== undefined)
    each('a new flow in', ours.newFlows.in, peer.newFlows.in);
}
finish('appliance', figures, { links, applies: applied, dhcp: hosts, forwarding: forwarded, agents });

/** A start of the agent with so many appliances there, and what they take. */
async function many(count: number) {
  await agent.start();
  const ids: string[] = [];
  for (let made = 0; made < count; made += 1) {
    const id = await agent.instance(['qg', 'qr']);
    await agent.push(id, router(1, 5));
    ids.push(id);
  }
  await agent.stop();
  const start = round(await agent.start());
  const memory = agent.memory();
  for (const id of ids) await agent.remove(id);
  await agent.stop();
  const result = {
    appliances: count,
    start,
    memory: { agent: round(memory.agent), instances: round(memory.instances) },
  };
  say(JSON.stringify(result));
  return result;
}
