import { describe, expect, it } from 'vitest';
import type { ApplianceConfig } from '../config.ts';
import type { AnchorRule, FirewallGroup, FirewallRule } from '../firewall.ts';
import { validateConfig } from '../rules.ts';

const config: ApplianceConfig = {
  hostname: 'r',
  tenant_id: 'c1',
  networks: [
    {
      network_id: 'b1',
      name: 'n',
      network_type: 'internal',
      interface: { ifname: 'qr-a', addresses: ['10.0.0.1/24'] },
      v4_conf_service: 'static',
      v6_conf_service: 'static',
      subnets: [],
      allocations: [],
    },
  ],
  floating_ips: [],
  address_book: { servers: ['10.0.0.0/28', 'fd00::/64'] },
};
const anchor = (...rules: AnchorRule[]) => ({ ...config, anchors: [{ name: 'one', rules }] });
const group = (change: Partial<FirewallGroup>): FirewallGroup => ({
  id: 'f1',
  interfaces: ['qr-a'],
  ingress_rules: [],
  egress_rules: [],
  ...change,
});
const groups = (...firewall_groups: FirewallGroup[]) => ({ ...config, firewall_groups });
const rule = (change: Partial<FirewallRule>) => groups(group({ egress_rules: [{ action: 'allow', ...change }] }));

function fields(input: unknown): string[] {
  const result = validateConfig(input);
  return result.ok ? [] : result.errors.map(({ field }) => field);
}

describe('anchors and firewall groups', () => {
  it('are accepted when they are right', () => {
    const rules: AnchorRule[] = [
      {
        action: 'pass',
        interface: 'qr-a',
        source: 'servers',
        destination: '10.0.0.0/8',
        protocol: 'tcp',
        destination_port: '1:65535',
      },
      {
        action: 'pass',
        protocol: 'udp',
        destination_port: '53',
        redirect: 'fd00::1',
        redirect_port: 5353,
        family: 'inet6',
      },
      { action: 'block', direction: 'out', interface: 'qr-a' },
    ];
    expect(fields(anchor(...rules))).toEqual([]);
    expect(fields(rule({ ip_version: 6, protocol: 'icmp', source_ip_address: 'fd00::/8', source_port: null }))).toEqual(
      [],
    );
  });

  const at = '/anchors/0/rules/0';
  const wrong: [string, unknown, string][] = [
    [
      'two anchors of one name',
      { ...config, anchors: ['a', 'a'].map((name) => ({ name, rules: [] })) },
      '/anchors/1/name',
    ],
    ['a name that is in no address book', anchor({ action: 'pass', source: 'constructor' }), `${at}/source`],
    ['an interface that is not there', anchor({ action: 'pass', interface: 'qr-b' }), `${at}/interface`],
    ['two IP versions', anchor({ action: 'pass', source: '10.0.0.0/8', destination: 'fd00::/8' }), `${at}/destination`],
    ['ICMPv6 of IPv4', anchor({ action: 'pass', family: 'inet', protocol: 'ipv6-icmp' }), `${at}/protocol`],
    ['a port without a protocol', anchor({ action: 'pass', destination_port: '80' }), `${at}/destination_port`],
    ['a port that is none', anchor({ action: 'pass', protocol: 'tcp', source_port: '65536' }), `${at}/source_port`],
    ['a range that ends first', anchor({ action: 'pass', protocol: 'tcp', source_port: '9:8' }), `${at}/source_port`],
    ['a redirect that blocks', anchor({ action: 'block', redirect: '10.0.0.1' }), `${at}/redirect`],
    [
      'a redirect on the way out',
      anchor({ action: 'pass', redirect: '10.0.0.1', direction: 'out' }),
      `${at}/direction`,
    ],
    ['a redirect of no address', anchor({ action: 'pass', redirect: '1:2' }), `${at}/redirect`],
    ['a port of no redirect', anchor({ action: 'pass', protocol: 'tcp', redirect_port: 1 }), `${at}/redirect_port`],
    [
      'a redirect to a port of any protocol',
      anchor({ action: 'pass', redirect: '10.0.0.1', redirect_port: 1 }),
      `${at}/redirect_port`,
    ],
    [
      'a prefix in the address book that is none',
      { ...config, address_book: { a: ['10.0.0.0/33'] } },
      '/address_book/a/0',
    ],
    ['a label of no prefix', { ...config, labels: { a: ['10.0.0.0/8', ':::/8'] } }, '/labels/a/1'],
    [
      'too many prefixes of labels',
      {
        ...config,
        labels: Object.fromEntries(
          Array.from({ length: 5 }, (_, index) => [`l${index}`, Array(1000).fill('10.0.0.0/8')]),
        ),
      },
      '/labels',
    ],
    [
      'too many rules',
      groups(
        ...[0, 1, 2, 3, 4].map((index) =>
          group({ id: `f${index}`, interfaces: [], ingress_rules: Array(4096).fill({ action: 'deny' }) }),
        ),
      ),
      '/firewall_groups',
    ],
    ['an interface in two groups', groups(group({}), group({ id: 'f2' })), '/firewall_groups/1/interfaces/0'],
    ['two groups of one id', groups(group({}), group({ interfaces: [] })), '/firewall_groups/1/id'],
    ['a group on no interface of ours', groups(group({ interfaces: ['eth0'] })), '/firewall_groups/0/interfaces/0'],
    [
      'a rule of two versions',
      rule({ ip_version: 4, source_ip_address: 'fd00::/8' }),
      '/firewall_groups/0/egress_rules/0/source_ip_address',
    ],
    ['ports of ICMP', rule({ protocol: 'icmp', source_port: '1' }), '/firewall_groups/0/egress_rules/0/source_port'],
  ];
  it.each(wrong)('are refused with %s', (_what, input, field) => {
    expect(fields(input)).toEqual([field]);
  });
});
