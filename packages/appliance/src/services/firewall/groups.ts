import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { FirewallRule } from '@astara/model/appliance/firewall.ts';
import { networkOf } from '@astara/model/ip.ts';
import { ifname, type Prefix, prefix } from '../../values.ts';
import { ports } from './anchors.ts';
import { versionOf } from './intervals.ts';
import { identifier } from './names.ts';
import type { Rule, Verdict } from './nodes.ts';
import { protocolNumbers } from './protocols.ts';

export interface GroupRules {
  readonly chains: Map<string, Rule[]>;
  /** Interface → `jump <chain>`. */
  readonly group_ingress: Map<string, string>;
  readonly group_egress: Map<string, string>;
}

const verdicts: Readonly<Record<FirewallRule['action'], Verdict>> = {
  // Allowed by this group: that of the other interface and the appliance's own rules are asked next.
  allow: { is: 'return' },
  deny: { is: 'drop' },
  reject: { is: 'reject' },
};
const otherwise: Rule = { verdict: { is: 'drop' } };

/** Two chains for each group: one for what enters the networks behind its interfaces, one for what leaves them. */
export function desiredGroups({ firewall_groups = [] }: ApplianceConfig): GroupRules {
  const chains = new Map<string, Rule[]>();
  const ingress = new Map<string, string>();
  const egress = new Map<string, string>();
  firewall_groups.forEach((group, index) => {
    const up = group.admin_state_up !== false;
    for (const [jumps, direction] of [
      [ingress, 'ingress'],
      [egress, 'egress'],
    ] as const) {
      const chain = identifier('group', group.id, `_${direction}`);
      const rules = up ? group[`${direction}_rules`] : [];
      const field = `/firewall_groups/${index}/${direction}_rules`;
      chains.set(chain, [...rules.flatMap((rule, position) => groupRule(rule, `${field}/${position}`)), otherwise]);
      group.interfaces.forEach((name, position) => {
        jumps.set(ifname(name, `/firewall_groups/${index}/interfaces/${position}`), `jump ${chain}`);
      });
    }
  });
  return { chains, group_ingress: ingress, group_egress: egress };
}

function groupRule(rule: FirewallRule, field: string): Rule[] {
  if (rule.enabled === false) return [];
  const source = address(rule.source_ip_address, `${field}/source_ip_address`);
  const destination = address(rule.destination_ip_address, `${field}/destination_ip_address`);
  const version = rule.ip_version ?? ((source ?? destination) ? versionOf(source ?? destination ?? '') : undefined);
  const { protocol } = rule;
  const common = {
    ...(source === undefined ? {} : { source: { prefix: source } }),
    ...(destination === undefined ? {} : { destination: { prefix: destination } }),
    ...(typeof rule.source_port === 'string' ? { sourcePorts: ports(rule.source_port) } : {}),
    ...(typeof rule.destination_port === 'string' ? { destinationPorts: ports(rule.destination_port) } : {}),
    verdict: verdicts[rule.action],
  };
  if (protocol === 'icmp') {
    // One word of Neutron's for two protocols.
    const versions = version === undefined ? ([4, 6] as const) : [version];
    return versions.map((each) => ({
      ...common,
      version: each,
      protocol: protocolNumbers[each === 4 ? 'icmp' : 'ipv6-icmp'],
    }));
  }
  const versioned = { ...common, ...(version === undefined ? {} : { version }) };
  if (typeof protocol === 'string') return [{ ...versioned, protocol: protocolNumbers[protocol] }];
  // TCP is rejected in words of its own.
  return rule.action === 'reject' ? [{ ...versioned, protocol: protocolNumbers.tcp }, versioned] : [versioned];
}

function address(text: string | null | undefined, field: string): Prefix | undefined {
  return typeof text === 'string' ? prefix(networkOf(text), field) : undefined;
}
