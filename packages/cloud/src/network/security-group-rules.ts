import { ipVersion, parseCidr } from '@astara/model/ip.ts';
import { Fault, invalidAttribute } from '../api/fault.ts';
import { orNull, quote, text, uuid } from '../api/parse.ts';
import type { Context, Resource } from '../api/resource.ts';
import { standardAttributes } from '../api/standard.ts';
import type { SecurityGroupRow, SecurityGroupRuleRow } from '../store/rows.ts';
import { groupNotFound } from './faults.ts';
import { makeRule, ruleView } from './security-groups.ts';
import { revise } from './touch.ts';

type RuleBody = Pick<
  SecurityGroupRuleRow,
  | 'security_group_id'
  | 'direction'
  | 'ethertype'
  | 'protocol'
  | 'port_range_min'
  | 'port_range_max'
  | 'remote_ip_prefix'
  | 'remote_group_id'
  | 'description'
>;

const bad = (type: string, message: string) => new Fault(400, type, message);
const notFoundMessage = (id: string) => `Security group rule ${id} does not exist`;
const { tags: _, ...attributes } = standardAttributes;

export function securityGroupRuleResource(): Resource<SecurityGroupRuleRow> {
  return {
    singular: 'security_group_rule',
    plural: 'security_group_rules',
    attributes: {
      ...attributes,
      security_group_id: { post: 'required', parse: uuid },
      direction: { post: 'required', parse: choice(['ingress', 'egress']) },
      ethertype: { post: true, parse: etherType, default: 'IPv4' },
      protocol: { post: true, parse: orNull(protocol), default: null },
      port_range_min: { post: true, parse: orNull(portNumber), default: null },
      port_range_max: { post: true, parse: orNull(portNumber), default: null },
      remote_ip_prefix: { post: true, parse: orNull(remotePrefix), default: null },
      remote_group_id: { post: true, parse: orNull(uuid), default: null },
      remote_address_group_id: { post: true, parse: orNull(noAddressGroup), default: null },
      normalized_cidr: {},
    },
    notFound: { type: 'SecurityGroupRuleNotFound', message: notFoundMessage },
    list: ({ store }) => store.securityGroupRules.all(),
    get: ({ store }, id) => store.securityGroupRules.get(id),
    lookup: { security_group_id: ({ store }, id) => store.securityGroupRules.by('group', id) },
    view: (_context, row) => ruleView(row),
    create: (context, body) => create(context, body as unknown as RuleBody),
    update: ({ store }, row, body) => revise(store.securityGroupRules, row, body),
    remove: (context, row) => {
      const { store } = context;
      store.securityGroupRules.delete(row.id);
      const group = store.securityGroups.get(row.security_group_id);
      if (group !== undefined) revise(store.securityGroups, group);
    },
  };
}

function create(context: Context, body: RuleBody): SecurityGroupRuleRow {
  const { store } = context;
  const group = ownGroup(context, body.security_group_id);
  checkPorts(body);
  const { remote_ip_prefix: prefix, remote_group_id: remote, ethertype } = body;
  if (prefix !== null && remote !== null) {
    const message = 'Only one of remote_ip_prefix or remote_group_id or remote_address_group_id may be provided.';
    throw bad('SecurityGroupMultipleRemoteEntites', message);
  }
  if (remote !== null && store.securityGroups.get(remote) === undefined) throw groupNotFound(remote);
  if (prefix !== null && `IPv${parseCidr(prefix)?.version}` !== ethertype) {
    throw bad('SecurityGroupRuleParameterConflict', `Conflicting value ethertype ${ethertype} for CIDR ${prefix}`);
  }
  const { security_group_id, direction, protocol, port_range_min, port_range_max, description } = body;
  const rule = { direction, ethertype, protocol, port_range_min, port_range_max, remote_ip_prefix: prefix };
  const twin = store.securityGroupRules.by('group', security_group_id).find((one) => same(one, body));
  if (twin !== undefined) {
    const message = `Security group rule already exists. Rule id is ${twin.id}.`;
    throw new Fault(409, 'SecurityGroupRuleExists', message);
  }
  revise(store.securityGroups, group);
  return makeRule(context, group, { ...rule, remote_group_id: remote, description });
}

function ownGroup({ store, caller }: Context, id: string): SecurityGroupRow {
  const group = store.securityGroups.get(id);
  if (group === undefined || !(caller.isAdmin || group.project_id === caller.projectId)) throw groupNotFound(id);
  return group;
}

const compared = [
  'direction',
  'ethertype',
  'protocol',
  'port_range_min',
  'port_range_max',
  'remote_ip_prefix',
  'remote_group_id',
] as const;

const same = (one: RuleBody, other: RuleBody) => compared.every((name) => one[name] === other[name]);

const icmp = ['icmp', 'icmpv6', 'ipv6-icmp', '1', '58'];
const withPorts = ['tcp', 'udp', 'sctp', 'dccp', 'udplite', '6', '17', '132', '33', '136'];

function checkPorts({ protocol: name, port_range_min: least, port_range_max: most }: RuleBody): void {
  if (least === null && most === null) return;
  if (name === null) {
    throw bad('SecurityGroupProtocolRequiredWithPorts', 'Must also specify protocol if port range is given.');
  }
  if (icmp.includes(name)) {
    checkIcmp(least, most);
    return;
  }
  if (!withPorts.includes(name)) {
    const message = `Port range cannot be specified for protocol ${name}. Port range is only supported for TCP, UDP, UDPLITE, SCTP and DCCP.`;
    throw bad('SecurityGroupInvalidProtocolForPort', message);
  }
  for (const port of [least, most]) {
    if (port !== null && (port < 1 || port > 65535)) {
      throw bad('SecurityGroupInvalidPortValue', `Invalid value for port ${port}`);
    }
  }
  if (least === null || most === null || least > most) {
    throw bad('SecurityGroupInvalidPortRange', 'For TCP/UDP protocols, port_range_min must be <= port_range_max');
  }
}

function checkIcmp(type: number | null, code: number | null): void {
  for (const [value, what, attribute] of [
    [type, 'type', 'port_range_min'],
    [code, 'code', 'port_range_max'],
  ] as const) {
    if (value === null || (value >= 0 && value <= 255)) continue;
    const message = `Invalid value for ICMP ${what} (${attribute}) ${value}. It must be 0 to 255.`;
    throw bad('SecurityGroupInvalidIcmpValue', message);
  }
  if (code !== null && type === null) {
    const message = `ICMP code (port-range-max) ${code} is provided but ICMP type (port-range-min) is missing.`;
    throw bad('SecurityGroupMissingIcmpType', message);
  }
}

function choice(values: readonly string[]): (value: unknown, name: string) => string {
  return (value, name) => {
    const word = typeof value === 'string' ? value.toLowerCase() : '';
    if (values.includes(word)) return word;
    throw invalidAttribute(name, `${typeof value === 'string' ? value : quote(value)} is not in valid_values`);
  };
}

function etherType(value: unknown): string {
  const known = ['IPv4', 'IPv6'].find((one) => one.toLowerCase() === String(value).toLowerCase());
  if (known !== undefined) return known;
  const message = `Security group rule for ethertype '${String(value)}' not supported. Allowed values are ['IPv4', 'IPv6'].`;
  throw bad('SecurityGroupRuleInvalidEtherType', message);
}

const protocols = [
  ...['ah', 'dccp', 'egp', 'esp', 'gre', 'hopopt', 'icmp', 'igmp', 'ip', 'ipip', 'ipv6-encap', 'ipv6-frag'],
  ...['ipv6-icmp', 'icmpv6', 'ipv6-nonxt', 'ipv6-opts', 'ipv6-route', 'ospf', 'pgm', 'rsvp', 'sctp', 'tcp', 'udp'],
  ...['udplite', 'vrrp'],
];

function protocol(value: unknown): string | null {
  const word = typeof value === 'number' || typeof value === 'string' ? String(value).toLowerCase() : '';
  if (word === 'any') return null;
  if (protocols.includes(word)) return word;
  if (/^\d{1,3}$/.test(word) && Number(word) <= 255) return word;
  const shown = protocols.map((one) => `'${one}'`).join(', ');
  const message = `Security group rule protocol ${String(value)} not supported. Only protocol values [None, ${shown}] and integer representations [0 to 255] are supported.`;
  throw bad('SecurityGroupRuleInvalidProtocol', message);
}

function portNumber(value: unknown): number {
  const port = typeof value === 'string' && /^-?\d{1,9}$/.test(value) ? Number(value) : value;
  if (typeof port === 'number' && Number.isSafeInteger(port)) return port;
  throw bad('SecurityGroupInvalidPortValue', `Invalid value for port ${String(value)}`);
}

/** An address alone is a prefix of its own. */
function remotePrefix(value: unknown): string {
  const given = typeof value === 'string' ? value : '';
  const version = ipVersion(given);
  if (version !== undefined) return `${given}/${version === 4 ? 32 : 128}`;
  if (parseCidr(given) !== undefined) return given;
  throw bad('InvalidCIDR', `Invalid CIDR ${String(value)} given as IP prefix.`);
}

function noAddressGroup(value: unknown, name: string): never {
  const id = text()(value, name);
  throw new Fault(404, 'AddressGroupNotFound', `Address group ${id} could not be found.`);
}
