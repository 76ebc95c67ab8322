import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fixed, floating } from './router.ts';

/**
 * The rules of a router as neutron-l3-agent writes them, in the form of iptables-restore: one rule per address in each of three
 * chains, behind its wrapper chains (neutron/agent/l3/router_info.py, of Zed).
 */
export function l3AgentRules(count: number): string {
  const indexes = Array.from({ length: count }, (_, index) => index);
  const w = 'neutron-l3-agent';
  return [
    '*nat',
    ...['PREROUTING', 'OUTPUT', 'POSTROUTING', 'float-snat', 'snat'].map((chain) => `:${w}-${chain} - [0:0]`),
    ':neutron-postrouting-bottom - [0:0]',
    `-A PREROUTING -j ${w}-PREROUTING`,
    `-A OUTPUT -j ${w}-OUTPUT`,
    `-A POSTROUTING -j ${w}-POSTROUTING`,
    '-A POSTROUTING -j neutron-postrouting-bottom',
    `-A neutron-postrouting-bottom -j ${w}-snat`,
    `-A ${w}-POSTROUTING ! -o qg -m conntrack ! --ctstate DNAT -j ACCEPT`,
    ...indexes.map((index) => `-A ${w}-PREROUTING -d ${floating(index)}/32 -j DNAT --to-destination ${fixed(index)}`),
    ...indexes.map((index) => `-A ${w}-OUTPUT -d ${floating(index)}/32 -j DNAT --to-destination ${fixed(index)}`),
    ...indexes.map(
      (index) => `-A ${w}-float-snat -s ${fixed(index)}/32 -j SNAT --to-source ${floating(index)} --random-fully`,
    ),
    `-A ${w}-snat -j ${w}-float-snat`,
    `-A ${w}-snat -o qg -j SNAT --to-source 198.51.100.2 --random-fully`,
    `-A ${w}-snat -m mark ! --mark 0x2/0xffff -m conntrack --ctstate DNAT -j SNAT --to-source 198.51.100.2 --random-fully`,
    'COMMIT',
    '',
  ].join('\n');
}

/** Puts them into a namespace, as the agent does. Resolves with the milliseconds. */
export async function restore(netns: string, rules: string): Promise<number> {
  const begun = performance.now();
  const child = spawn('ip', ['netns', 'exec', netns, 'iptables-restore'], { stdio: ['pipe', 'ignore', 'inherit'] });
  child.stdin.end(rules);
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`iptables-restore: exit ${code}`);
  return performance.now() - begun;
}
