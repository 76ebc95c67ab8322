import { ipVersion, parseCidr } from '../../ip.ts';
import type { ApplianceConfig } from '../config.ts';
import type { AnchorRule, FirewallRule } from '../firewall.ts';
import { checkAddress, checkCidr, escaped, type Fail } from './fail.ts';

type Version = 4 | 6;
/**
 * More would keep the appliance busy for seconds: prefixes of labels that overlap are cut at each other's ends, and each part knows
 * all whose it is.
 */
const MAX_LABEL_PREFIXES = 1024;
const MAX_BOOK_PREFIXES = 100_000;
const MAX_RULES = 20_000;
const withPorts: ReadonlySet<string> = new Set(['tcp', 'udp', 'sctp']);

export function checkFirewall(config: ApplianceConfig, fail: Fail): void {
  for (const part of ['labels', 'address_book'] as const) {
    for (const [name, prefixes] of Object.entries(config[part] ?? {})) {
      prefixes.forEach((cidr, index) => {
        checkCidr(cidr, `/${part}/${escaped(name)}/${index}`, undefined, fail);
      });
    }
  }
  checkSizes(config, fail);
  checkAnchors(config, fail);
  checkGroups(config, fail);
}

function checkSizes(config: ApplianceConfig, fail: Fail): void {
  const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + size, 0);
  const limit = (field: string, size: number, most: number, what: string) => {
    if (size > most) fail(field, `${size} ${what}, at most ${most} are possible`);
  };
  const lengths = (part: Readonly<Record<string, readonly string[]>> = {}) =>
    Object.values(part).map((list) => list.length);
  const anchors = (config.anchors ?? []).map(({ rules }) => rules.length);
  const groups = (config.firewall_groups ?? []).map((group) => group.ingress_rules.length + group.egress_rules.length);
  limit('/labels', sum(lengths(config.labels)), MAX_LABEL_PREFIXES, 'prefixes');
  limit('/address_book', sum(lengths(config.address_book)), MAX_BOOK_PREFIXES, 'prefixes');
  limit('/anchors', sum(anchors), MAX_RULES, 'rules');
  limit('/firewall_groups', sum(groups), MAX_RULES, 'rules');
}

function checkAnchors(config: ApplianceConfig, fail: Fail): void {
  const ifnames = new Set(config.networks.map((network) => network.interface.ifname));
  const names = new Set<string>();
  config.anchors?.forEach(({ name, rules }, index) => {
    const field = `/anchors/${index}`;
    if (names.has(name)) fail(`${field}/name`, `${name} is used twice`);
    names.add(name);
    rules.forEach((rule, position) => {
      checkAnchorRule(rule, `${field}/rules/${position}`, config, ifnames, fail);
    });
  });
}

function checkAnchorRule(
  rule: AnchorRule,
  field: string,
  config: ApplianceConfig,
  ifnames: ReadonlySet<string>,
  fail: Fail,
): void {
  for (const key of ['interface', 'destination_interface'] as const) {
    const ifname = rule[key];
    if (typeof ifname === 'string' && !ifnames.has(ifname)) fail(`${field}/${key}`, `there is no interface ${ifname}`);
  }
  const versions = new Map<string, Version | undefined>([['family', familyVersion(rule)]]);
  for (const end of ['source', 'destination'] as const) {
    const text = rule[end];
    if (text === undefined) continue;
    if (text.includes('/')) {
      if (checkCidr(text, `${field}/${end}`, undefined, fail)) versions.set(end, parseCidr(text)?.version);
    } else if (!Object.hasOwn(config.address_book ?? {}, text)) {
      fail(`${field}/${end}`, `the address book has no ${text}`);
    }
  }
  if (rule.redirect !== undefined && checkAddress(rule.redirect, `${field}/redirect`, undefined, fail)) {
    versions.set('redirect', ipVersion(rule.redirect));
  }
  if (rule.protocol === 'icmp') versions.set('protocol', 4);
  if (rule.protocol === 'ipv6-icmp') versions.set('protocol', 6);
  checkVersions(versions, field, fail);
  checkRulePorts(rule, field, fail);
  if (rule.direction === 'out' && typeof rule.destination_interface === 'string') {
    fail(`${field}/destination_interface`, 'with direction `out`, `interface` says where it goes out');
  }
  checkRedirect(rule, field, fail);
}

function checkRedirect(rule: AnchorRule, field: string, fail: Fail): void {
  if (rule.redirect === undefined) {
    if (rule.redirect_port !== undefined) fail(`${field}/redirect_port`, 'needs redirect');
    return;
  }
  if (rule.action !== 'pass') fail(`${field}/redirect`, 'is for rules that pass');
  // It is decided before the way out is known.
  if (rule.direction === 'out') fail(`${field}/direction`, 'a redirect is of what comes in');
  if (typeof rule.destination_interface === 'string') {
    fail(`${field}/destination_interface`, 'cannot be said of a redirect');
  }
  if (rule.redirect_port !== undefined && !withPorts.has(rule.protocol ?? '')) {
    fail(`${field}/redirect_port`, 'needs a protocol with ports: tcp, udp or sctp');
  }
}

function checkGroups(config: ApplianceConfig, fail: Fail): void {
  const ifnames = new Set(config.networks.map((network) => network.interface.ifname));
  const ids = new Set<string>();
  const owner = new Map<string, string>();
  config.firewall_groups?.forEach((group, index) => {
    const field = `/firewall_groups/${index}`;
    if (ids.has(group.id)) fail(`${field}/id`, `${group.id} is used twice`);
    ids.add(group.id);
    group.interfaces.forEach((ifname, position) => {
      const other = owner.get(ifname);
      if (!ifnames.has(ifname)) fail(`${field}/interfaces/${position}`, `there is no interface ${ifname}`);
      if (other !== undefined)
        fail(`${field}/interfaces/${position}`, `${ifname} is in firewall group ${other} already`);
      owner.set(ifname, group.id);
    });
    for (const direction of ['ingress_rules', 'egress_rules'] as const) {
      group[direction].forEach((rule, position) => {
        checkGroupRule(rule, `${field}/${direction}/${position}`, fail);
      });
    }
  });
}

function checkGroupRule(rule: FirewallRule, field: string, fail: Fail): void {
  const versions = new Map<string, Version | undefined>([['ip_version', rule.ip_version]]);
  for (const end of ['source_ip_address', 'destination_ip_address'] as const) {
    const text = rule[end];
    if (typeof text !== 'string') continue;
    if (checkCidr(text, `${field}/${end}`, undefined, fail)) versions.set(end, parseCidr(text)?.version);
  }
  checkVersions(versions, field, fail);
  checkRulePorts(rule, field, fail);
}

function familyVersion({ family }: AnchorRule): Version | undefined {
  return family === undefined ? undefined : family === 'inet' ? 4 : 6;
}

/** A rule about both IP versions at once matches nothing. */
function checkVersions(versions: ReadonlyMap<string, Version | undefined>, field: string, fail: Fail): void {
  let known: Version | undefined;
  for (const [key, version] of versions) {
    if (version === undefined) continue;
    if (known !== undefined && version !== known)
      fail(`${field}/${key}`, `is IPv${version}, the rule is about IPv${known}`);
    known ??= version;
  }
}

interface Ported {
  readonly protocol?: string | null;
  readonly source_port?: string | null;
  readonly destination_port?: string | null;
}

function checkRulePorts(rule: Ported, field: string, fail: Fail): void {
  for (const key of ['source_port', 'destination_port'] as const) {
    const text = rule[key];
    if (typeof text !== 'string') continue;
    const [first = 0, last = first] = text.split(':').map(Number);
    if (first < 1 || last > 65_535 || last < first) fail(`${field}/${key}`, 'must be a port, or first:last');
    if (!withPorts.has(rule.protocol ?? '')) fail(`${field}/${key}`, 'needs a protocol with ports: tcp, udp or sctp');
  }
}
