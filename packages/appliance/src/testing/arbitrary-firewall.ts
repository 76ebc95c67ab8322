import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { AnchorRule, FirewallGroup, FirewallRule } from '@astara/model/appliance/firewall.ts';
import type { PortForwarding } from '@astara/model/appliance/nat.ts';
import { validateConfig } from '@astara/model/appliance/rules.ts';
import fc from 'fast-check';
import { anyConfig } from './arbitrary.ts';
import { anyVpn } from './arbitrary-vpn.ts';

/** What the firewall reads, added to {@link anyConfig}: prefixes that overlap, names as odd as the schema allows. */

const octet = fc.integer({ min: 0, max: 255 });
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const name = fc.oneof(
  fc.constantFrom('web', 'drop', 'ip', 'A.b:c-d_e'),
  fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$/),
);

const prefix4 = fc
  .tuple(octet, octet, fc.constantFrom(0, 8, 15, 16, 23, 24, 25, 31, 32))
  .map(([a, b, length]) => `10.${a % 4}.${b % 4}.${b}/${length}`);
const prefix6 = fc
  .tuple(octet, fc.constantFrom(0, 7, 16, 63, 64, 96, 127, 128))
  .map(
    ([a, length]) =>
      `${['fd01::', '::ffff:', '::', 'fd01:0:0:1::', '2001:db8:0:0:1::'][a % 5]}${a.toString(16)}/${length}`,
  );
const prefix = fc.oneof(prefix4, prefix6);
const port = fc.integer({ min: 1, max: 65_535 });
const range = fc.oneof(
  port.map(String),
  fc.tuple(port, port).map(([a, b]) => `${Math.min(a, b)}:${Math.max(a, b)}`),
);

function pick<T extends object>(record: T): T {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as T;
}

const forwarding: fc.Arbitrary<PortForwarding> = fc
  .record({
    floating_ip: fc.integer({ min: 1, max: 3 }).map((host) => `203.0.113.${host}`),
    protocol: fc.constantFrom('tcp', 'udp', 'sctp'),
    first: fc.integer({ min: 1, max: 65_000 }),
    length: fc.constantFrom(0, 0, 1, 7),
    kind: fc.constantFrom('same', 'moved', 'one'),
    internal: fc.integer({ min: 1, max: 65_000 }),
    host: octet,
  })
  .map(({ floating_ip, protocol, first, length, kind, internal, host }) => {
    const inside = kind === 'same' ? first : internal;
    return {
      floating_ip,
      protocol,
      external_port: first,
      external_port_end: first + length,
      internal_ip: `10.1.0.${host}`,
      internal_port: inside,
      ...(kind === 'one' ? {} : { internal_port_end: inside + length }),
    } as PortForwarding;
  });

interface Loose {
  readonly [key: string]: unknown;
  readonly protocol?: string | null | undefined;
  readonly redirect?: string | undefined;
}

/** Without what contradicts the rest of a rule: otherwise nearly none would be valid. */
function consistent<T extends Loose>(rule: T): T {
  const ported = ['tcp', 'udp', 'sctp'].includes(rule.protocol ?? '');
  const redirect = rule.action === 'pass' ? rule.redirect : undefined;
  const prefixes = [redirect, rule.source, rule.destination, rule.source_ip_address, rule.destination_ip_address];
  const versions = { icmp: false, 'ipv6-icmp': true } as Record<string, boolean>;
  const first = prefixes.find((each) => typeof each === 'string' && /[./:].*[./:]/.test(each));
  const six = versions[rule.protocol ?? ''] ?? (first === undefined ? undefined : String(first).includes(':'));
  const keep = (key: string, value: unknown) => {
    if (key.endsWith('_port') && !ported) return false;
    if (key.startsWith('redirect') && redirect === undefined) return false;
    if (key === 'direction') return redirect === undefined;
    if (key === 'destination_interface') return redirect === undefined && rule.direction !== 'out';
    if (six === undefined) return true;
    if (key === 'family') return value === (six ? 'inet6' : 'inet');
    if (key === 'ip_version') return value === (six ? 6 : 4);
    const address = typeof value === 'string' && (value.includes('/') || key === 'redirect');
    return !address || value.includes(':') === six;
  };
  return Object.fromEntries(Object.entries(rule).filter(([key, value]) => keep(key, value))) as T;
}

const anchorRule = (interfaces: readonly string[], book: readonly string[]): fc.Arbitrary<AnchorRule> =>
  fc
    .record({
      action: fc.constantFrom('pass', 'block'),
      direction: optional(fc.constantFrom('in', 'out')),
      interface: fc.option(fc.constantFrom(...interfaces, ...interfaces, 'none'), { freq: 1 }),
      family: optional(fc.constantFrom('inet', 'inet6')),
      protocol: optional(fc.constantFrom('tcp', 'udp', 'icmp', 'ipv6-icmp', 'sctp', 'esp', 'ah', 'gre')),
      source: optional(fc.oneof(prefix, fc.constantFrom(...book, 'no-such'))),
      source_port: optional(range),
      destination_interface: fc.option(fc.constantFrom(...interfaces, ...interfaces, 'none'), { freq: 1 }),
      destination: optional(fc.oneof(prefix, fc.constantFrom(...book, 'no-such'))),
      destination_port: optional(range),
      redirect: optional(fc.constantFrom('10.1.0.5', 'fd01::5')),
      redirect_port: optional(port),
    })
    .map((rule) => pick(consistent(rule)) as AnchorRule);

const groupRule: fc.Arbitrary<FirewallRule> = fc
  .record({
    enabled: optional(fc.boolean()),
    action: fc.constantFrom('allow', 'deny', 'reject'),
    ip_version: optional(fc.constantFrom(4 as const, 6 as const)),
    protocol: optional(fc.constantFrom('tcp', 'udp', 'icmp', 'sctp', null)),
    source_ip_address: optional(fc.oneof(prefix, fc.constant(null))),
    destination_ip_address: optional(fc.oneof(prefix, fc.constant(null))),
    source_port: optional(range),
    destination_port: optional(range),
  })
  .map((rule) => pick(consistent(rule)) as FirewallRule);

/** Drops rules one by one until what is left is valid: most random rules contradict themselves somewhere. */
function valid(config: ApplianceConfig): ApplianceConfig {
  const fits = (part: object) =>
    validateConfig(
      pick({ ...config, vpn: undefined, ha: undefined, bgp: undefined, firewall_groups: [], anchors: [], ...part }),
    ).ok;
  const anchors = config.anchors?.map((anchor) => ({
    ...anchor,
    rules: anchor.rules.filter((rule) => fits({ anchors: [{ ...anchor, rules: [rule] }] })),
  }));
  const keep = (rules: FirewallRule[]) =>
    rules.filter((rule) =>
      fits({ firewall_groups: [{ id: '0', interfaces: [], ingress_rules: [rule], egress_rules: [] }] }),
    );
  const groups = config.firewall_groups?.map((group) => ({
    ...group,
    ingress_rules: keep(group.ingress_rules),
    egress_rules: keep(group.egress_rules),
  }));
  const parts = { anchors, firewall_groups: groups };
  // What contradicts the networks is left out.
  const optional = (['vpn', 'ha', 'bgp'] as const).filter((key) => !fits({ [key]: config[key] }));
  return pick({
    ...config,
    ...parts,
    ...Object.fromEntries(optional.map((key) => [key, undefined])),
  }) as ApplianceConfig;
}

export const anyFirewallConfig: fc.Arbitrary<ApplianceConfig> = anyConfig
  .chain((config) => {
    const interfaces = config.networks.map((network) => network.interface.ifname);
    const group = (index: number): fc.Arbitrary<FirewallGroup> =>
      fc.record({
        id: fc.constant(`0-${index}`),
        admin_state_up: fc.boolean(),
        interfaces: fc.constant(interfaces.filter((_, position) => position % 2 === index)),
        ingress_rules: fc.array(groupRule, { maxLength: 4 }),
        egress_rules: fc.array(groupRule, { maxLength: 4 }),
      });
    return fc.dictionary(name, fc.array(prefix, { maxLength: 5 }), { maxKeys: 3 }).chain((address_book) => {
      const rules = fc.array(anchorRule(interfaces, Object.keys(address_book)), { maxLength: 5 });
      return fc
        .record({
          port_forwardings: fc.array(forwarding, { maxLength: 5 }),
          snat_addresses: fc.uniqueArray(
            octet.map((host) => `198.51.101.${host}`),
            { maxLength: 4 },
          ),
          labels: fc.dictionary(name, fc.array(prefix, { maxLength: 5 }), { maxKeys: 4 }),
          anchors: fc.uniqueArray(fc.record({ name, rules }), { selector: (anchor) => anchor.name, maxLength: 3 }),
          firewall_groups: fc.tuple(group(0), group(1)).chain((all) => fc.subarray(all)),
          limits: fc.array(
            optional(
              fc.record({
                max_kbps: fc.integer({ min: 1, max: 100_000_000 }),
                max_burst_kbps: optional(fc.integer({ min: 0, max: 32_000_000 })),
              }),
            ),
            { minLength: 12, maxLength: 12 },
          ),
          flow_offload: fc.boolean(),
          bgp: optional(
            fc.record({
              neighbors: fc.array(
                fc.record({
                  address: fc.constantFrom('10.1.0.9', '198.51.100.9', 'fd01::9', 'fe80::9'),
                  asn: fc.constant(65_001),
                  bfd: fc.boolean(),
                  import: fc.record({ prefixes: fc.array(prefix, { maxLength: 2 }) }),
                }),
                { maxLength: 3 },
              ),
              asn: fc.constant(65_000),
            }),
          ),
          management: fc.boolean(),
          vpn: optional(anyVpn()),
          ha: optional(
            fc.record({
              vrid: fc.integer({ min: 1, max: 255 }),
              priority: fc.integer({ min: 1, max: 254 }),
              interface: fc.constantFrom(...interfaces, 'none'),
              peers: fc.subarray(['10.1.0.9', '10.2.0.9', 'fd01::9']),
            }),
          ),
        })
        .map(({ limits, management, bgp, vpn, ha, ...more }): ApplianceConfig => {
          const floating_ips = config.floating_ips.map((floating, index) => ({
            ...floating,
            rate_limits: pick({ ingress: limits[2 * index], egress: limits[2 * index + 1] }),
          })) as unknown as ApplianceConfig['floating_ips'];
          const first = config.networks[0];
          const networks =
            first !== undefined && management
              ? [{ ...first, network_type: 'management' as const }, ...config.networks.slice(1)]
              : config.networks;
          return pick({ ...config, ...more, networks, address_book, floating_ips, bgp, vpn, ha }) as ApplianceConfig;
        });
    });
  })
  .map(valid)
  .filter((config) => validateConfig(config).ok);
