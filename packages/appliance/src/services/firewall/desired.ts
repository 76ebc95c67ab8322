import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Network } from '@astara/model/appliance/network.ts';
import { parseCidr } from '@astara/model/ip.ts';
import { ifname, ip } from '../../values.ts';
import { desiredPolicies } from '../conntrack/policies.ts';
import type { CompileContext } from '../service.ts';
import { vpnConnections } from '../vpn/connections.ts';
import { desiredAnchors } from './anchors.ts';
import { desiredGroups } from './groups.ts';
import { desiredLabels } from './labels.ts';
import { desiredNat } from './nat.ts';
import type { Rule } from './nodes.ts';
import { desiredOpenings } from './openings.ts';
import { keyOf, ruleText } from './render.ts';
import { desiredSources } from './sources.ts';
import type { Chain, FirewallState } from './state.ts';

/** strongSwan's kernel-libipsec makes it, where the kernel has no ESP. */
const TUNNEL_INTERFACE = 'ipsec0';

/** What the configuration lets through, translates, limits and counts. */
export function desiredFirewall(config: ApplianceConfig, { warn }: Pick<CompileContext, 'warn'>): FirewallState {
  const names = (...types: Network['network_type'][]) =>
    config.networks.flatMap((network, index) =>
      types.includes(network.network_type)
        ? [ifname(network.interface.ifname, `/networks/${index}/interface/ifname`)]
        : [],
    );
  const set = (list: readonly string[]) => new Map(list.map((name) => [name, '']));
  const tunnels = vpnConnections(config).length > 0 ? [TUNNEL_INTERFACE] : [];
  const routed = [...names('internal', 'external'), ...tunnels];
  const groups = desiredGroups(config);
  const anchors = desiredAnchors(config);
  const { labels, ...labelElements } = desiredLabels(config);
  const { chains: groupChains, ...groupElements } = groups;

  const elements = {
    known_if: set([...names('internal', 'external', 'isolated', 'management'), ...tunnels]),
    routing_if: set(routed),
    internal_if: set(names('internal')),
    external_if: set(names('external')),
    tunnel_if: set(tunnels),
    service_if: set(names('internal', 'isolated')),
    metadata_if: set(config.metadata === undefined ? [] : names('internal', 'isolated')),
    management_if: set(names('management')),
    ...managementAddresses(config.networks),
    ...desiredSources(config),
    ...desiredOpenings(config),
    ...desiredNat(config, warn),
    ...groupElements,
    ...labelElements,
  };
  return Object.freeze({
    table: true,
    elements: Object.freeze(elements),
    chains: new Map([...groupChains, ...anchors.chains].map(([name, rules]) => [name, chain(rules)])),
    books: anchors.books,
    counters: new Set(labels.keys()),
    offload: config.flow_offload === true ? names('internal', 'external').sort() : [],
    policies: desiredPolicies(config, groups),
    labels,
  });
}

function chain(rules: readonly Rule[]): Chain {
  return { rules, keys: rules.map((rule) => keyOf(ruleText(rule))) };
}

function managementAddresses(networks: readonly Network[]): Record<'management4' | 'management6', Map<string, string>> {
  const found = { management4: new Map<string, string>(), management6: new Map<string, string>() };
  networks.forEach((network, index) => {
    if (network.network_type !== 'management') return;
    for (const cidr of network.interface.addresses) {
      const parsed = parseCidr(cidr);
      // Link-local addresses are on every interface.
      if (parsed === undefined || /^fe[89ab]/i.test(parsed.address)) continue;
      found[`management${parsed.version}`].set(ip(parsed.address, `/networks/${index}/interface/addresses`), '');
    }
  });
  return found;
}
