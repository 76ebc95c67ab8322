import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fixed, floating } from './router.ts';

const w = 'neutron-l3-agent';
/** The mark of everything that is in no address scope; in the upper half of a mark. */
const scope = '0x4000000/0xffff0000';
const upperHalf = '--nfmask 0xffff0000 --ctmask 0xffff0000';

/**
 * The rules of a router as neutron-l3-agent writes them, in the form of iptables-restore: what each packet passes whatever the
 * floating IPs (marks of address scopes and of metadata, filters), and one rule per address in each of three chains
 * (neutron/agent/l3/router_info.py, legacy_router.py and iptables_manager.py). Chains that hold no rule are left out.
 */
export function l3AgentRules(count: number): string {
  const indexes = Array.from({ length: count }, (_, index) => index);
  return [
    '*mangle',
    ...chains('PREROUTING', 'POSTROUTING', 'mark', 'scope'),
    `-A PREROUTING -j ${w}-PREROUTING`,
    `-A POSTROUTING -j ${w}-POSTROUTING`,
    `-A ${w}-PREROUTING -j ${w}-mark`,
    `-A ${w}-PREROUTING -j ${w}-scope`,
    `-A ${w}-PREROUTING -m connmark ! --mark 0x0/0xffff0000 -j CONNMARK --restore-mark ${upperHalf}`,
    `-A ${w}-PREROUTING -d 169.254.169.254/32 -i qr+ -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x1/0xffff`,
    `-A ${w}-mark -i qg -j MARK --set-xmark 0x2/0xffff`,
    ...['qg', 'qr'].map((ifname) => `-A ${w}-scope -i ${ifname} -j MARK --set-xmark ${scope}`),
    `-A ${w}-POSTROUTING -o qg -m connmark --mark 0x0/0xffff0000 -j CONNMARK --save-mark ${upperHalf}`,
    'COMMIT',
    '*filter',
    ...chains('INPUT', 'FORWARD', 'scope'),
    `-A INPUT -j ${w}-INPUT`,
    `-A FORWARD -j ${w}-FORWARD`,
    `-A ${w}-INPUT -m mark --mark 0x1/0xffff -j ACCEPT`,
    `-A ${w}-INPUT -p tcp -m tcp --dport 9697 -j DROP`,
    `-A ${w}-FORWARD -j ${w}-scope`,
    `-A ${w}-scope -o qr -m mark ! --mark ${scope} -j DROP`,
    'COMMIT',
    '*nat',
    ...chains('PREROUTING', 'OUTPUT', 'POSTROUTING', 'float-snat', 'snat'),
    ':neutron-postrouting-bottom - [0:0]',
    `-A PREROUTING -j ${w}-PREROUTING`,
    `-A OUTPUT -j ${w}-OUTPUT`,
    `-A POSTROUTING -j ${w}-POSTROUTING`,
    '-A POSTROUTING -j neutron-postrouting-bottom',
    `-A neutron-postrouting-bottom -j ${w}-snat`,
    `-A ${w}-POSTROUTING ! -o qg -m conntrack ! --ctstate DNAT -j ACCEPT`,
    ...indexes.map((index) => `-A ${w}-PREROUTING -d ${floating(index)}/32 -j DNAT --to-destination ${fixed(index)}`),
    `-A ${w}-PREROUTING -d 169.254.169.254/32 -i qr+ -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 9697`,
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

function chains(...names: readonly string[]): string[] {
  return names.map((name) => `:${w}-${name} - [0:0]`);
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
