import { digest } from '@astara/model/digest.ts';
import { type Elements, type FirewallElements, mapTypes, type SetName, setNames, setTypes } from './state.ts';

/** Port inside the appliance on which metadata requests arrive. */
export const METADATA_PORT = 9697;
/** Port of the appliance's API on its management interface. */
export const API_PORT = 5000;

/**
 * nft 1.0.6: a rule needs a newline before `}`, and `priority dstnat` is not accepted in an output hook. Protocols by number (1 ICMP,
 * 58 ICMPv6): their names are in /etc/protocols, which a minimal Debian does not have.
 */
const chains = `
  chain prerouting {
    type nat hook prerouting priority -100; policy accept;
    iifname @metadata_if ip daddr 169.254.169.254 tcp dport 80 redirect to :${METADATA_PORT}
    dnat ip to ip daddr map @fip_in
  }
  chain output_nat {
    type nat hook output priority -100; policy accept;
    dnat ip to ip daddr map @fip_in
  }
  chain postrouting {
    type nat hook postrouting priority 100; policy accept;
    iifname @internal_if oifname @internal_if ct status dnat snat ip to ip saddr map @fip_out
    iifname @internal_if oifname @internal_if ct status dnat masquerade
    iifname @internal_if oifname @external_if snat ip to ip saddr map @fip_out
    iifname @internal_if oifname @external_if ip saddr @routed4 accept
    iifname @internal_if snat ip to oifname map @snat_to
  }
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state vmap { established : accept, related : accept, invalid : drop }
    iifname @internal_if oifname @internal_if accept
    iifname @internal_if oifname @external_if accept
    iifname @external_if oifname @internal_if ct status dnat accept
    iifname @external_if oifname @internal_if ip daddr @routed4 accept
    iifname @external_if oifname @internal_if ip6 daddr @routed6 accept
  }
  chain input {
    type filter hook input priority 0; policy drop;
    iifname "lo" accept
    ct state vmap { established : accept, related : accept, invalid : drop }
    iifname @known_if meta l4proto { 1, 58 } accept
    iifname @service_if udp dport { 53, 67, 547 } accept
    iifname @service_if tcp dport 53 accept
    iifname @metadata_if tcp dport ${METADATA_PORT} ct status dnat accept
    iifname @management_if tcp dport ${API_PORT} accept
  }
  chain output {
    type filter hook output priority 0; policy drop;
    oifname "lo" accept
    oifname @known_if accept
  }
`;

const declarations = [
  ...Object.entries(setTypes).map(([name, type]) => `  set ${name} { type ${type}; }`),
  ...Object.entries(mapTypes).map(([name, type]) => `  map ${name} { type ${type}; }`),
].join('\n');

/** An empty set whose name tells which chains the table has: how a later release knows whether they are its own. */
export const SHAPE = `shape_${digest(declarations + chains).slice(0, 12)}`;
/** How many rules the table has, to notice when somebody took one away. */
export const RULES = chains.split('\n').filter((line) => !/^\s*(chain .*|type .*|\}|)$/.test(line)).length;

/** Replaces the table, whatever was there, in one transaction. */
export function renderTable(elements: FirewallElements): string {
  const filled = setNames.map((name) => command('add', name, elements[name])).join('');
  return [
    'add table inet astara',
    'delete table inet astara',
    `table inet astara {\n  set ${SHAPE} { type mark; }\n${declarations}\n${chains}}`,
    filled,
  ].join('\n');
}

/** Takes and gives elements in one transaction; empty when nothing differs. */
export function renderChange(before: FirewallElements, after: FirewallElements): string {
  return setNames
    .map((name) => {
      const gone = difference(before[name], after[name]);
      const come = difference(after[name], before[name]);
      return command('delete', name, new Map([...gone].map(([key]) => [key, '']))) + command('add', name, come);
    })
    .join('');
}

/** Entries of `a` that `b` does not have, or has with another value. */
function difference(a: Elements, b: Elements): Elements {
  const result = new Map<string, string>();
  for (const [key, value] of a) if (b.get(key) !== value) result.set(key, value);
  return result;
}

function command(verb: 'add' | 'delete', name: SetName, elements: Elements): string {
  if (elements.size === 0) return '';
  const quoted = name.endsWith('_if') || name === 'snat_to';
  const list = [...elements].map(([key, value]) => {
    const element = quoted ? `"${key}"` : key;
    return value === '' ? element : `${element} : ${value}`;
  });
  return `${verb} element inet astara ${name} { ${list.join(', ')} }\n`;
}
