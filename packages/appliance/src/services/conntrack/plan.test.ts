import type { Flow } from '@astara/kernel/contract.ts';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { describe, expect, it } from 'vitest';
import { routerConfig } from '../../testing/router-world.ts';
import { desiredFirewall } from '../firewall/desired.ts';
import { endedFlows, planConntrack } from './plan.ts';

const state = (more: Partial<ApplianceConfig>) => desiredFirewall(routerConfig(more), { warn: () => undefined });

/** From a source to a destination, translated or not: `10.1.0.10>198.51.100.1:80`, then where answers come from and go to. */
function flow(
  from: string,
  to: string,
  port: number,
  answers: { from?: string; to?: string; port?: number } = {},
): Flow {
  const { from: source = to, to: destination = from, port: sourcePort = port } = answers;
  return {
    protocol: 6,
    original: { source: from, destination: to, sourcePort: 40_000, destinationPort: port },
    reply: { source, destination, sourcePort, destinationPort: 40_000 },
  };
}

const inbound = flow('198.51.100.1', '198.51.100.50', 80, { from: '10.1.0.10' });
const outbound = flow('10.1.0.10', '198.51.100.1', 80, { to: '198.51.100.50' });
const shared = flow('10.1.0.11', '198.51.100.1', 80, { to: '198.51.100.2' });
const own = flow('198.51.100.2', '198.51.100.1', 80);
const between = flow('10.2.0.10', '10.1.0.10', 80);
const forwarded = flow('198.51.100.1', '198.51.100.60', 81, { from: '10.1.0.10', port: 7000 });
const asked = flow('10.2.0.10', '10.2.0.1', 53);
const all = { inbound, outbound, shared, own, between, forwarded, asked };

function ended(before: Partial<ApplianceConfig>, after: Partial<ApplianceConfig>): string[] {
  const plan = planConntrack(state(before), state(after));
  if (plan === undefined) return ['nobody looks'];
  const ends = endedFlows(plan);
  return Object.entries(all).flatMap(([name, each]) => (ends(each) ? [name] : []));
}

const fip = { floating_ip: '198.51.100.50', fixed_ip: '10.1.0.10' };
const forwarding = {
  floating_ip: '198.51.100.60',
  protocol: 'tcp',
  external_port: 80,
  external_port_end: 89,
  internal_ip: '10.1.0.10',
  internal_port: 80,
  internal_port_end: 89,
} as const;

describe('connections end', () => {
  it('of a floating IP that goes or moves', () => {
    expect(ended({ floating_ips: [fip] }, {})).toEqual(['inbound', 'outbound']);
    expect(ended({ floating_ips: [fip] }, { floating_ips: [{ ...fip, fixed_ip: '10.1.0.11' }] })).toEqual([
      'inbound',
      'outbound',
    ]);
  });

  it('of an address of source NAT that goes, but for what the appliance itself says', () => {
    expect(ended({}, { snat: false })).toEqual(['shared']);
  });

  it('of a port forwarding that goes', () => {
    expect(ended({ port_forwardings: [forwarding] }, {})).toEqual(['forwarded']);
    expect(ended({ port_forwardings: [{ ...forwarding, internal_port: 7000, internal_port_end: 7009 }] }, {})).toEqual([
      'forwarded',
    ]);
  });

  it('of what a firewall group no longer allows', () => {
    const group = { id: 'f1', interfaces: ['qr-a'], ingress_rules: [], egress_rules: [{ action: 'allow' } as const] };
    expect(ended({}, { firewall_groups: [group] })).toEqual(['inbound', 'between', 'forwarded']);
    const web = { action: 'allow', protocol: 'tcp', destination_port: '7000' } as const;
    expect(ended({}, { firewall_groups: [{ ...group, ingress_rules: [web] }] })).toEqual(['inbound', 'between']);
    expect(ended({ firewall_groups: [group] }, { firewall_groups: [{ ...group, egress_rules: [] }] })).toEqual([
      'inbound',
      'outbound',
      'shared',
      'between',
      'forwarded',
    ]);
  });

  it('of nothing, without looking, where nothing goes', () => {
    expect(ended({}, { floating_ips: [fip], port_forwardings: [forwarding] })).toEqual(['nobody looks']);
    expect(ended({ floating_ips: [fip] }, { floating_ips: [fip], labels: { a: ['10.0.0.0/8'] } })).toEqual([
      'nobody looks',
    ]);
    const group = { id: 'f1', interfaces: ['qr-a'], ingress_rules: [], egress_rules: [] };
    expect(ended({ firewall_groups: [group] }, {})).toEqual(['nobody looks']);
  });
});
