import type { Difference } from './compare.ts';

/** Where the cloud differs from Neutron and Keystone. This is the only place; whatever is not listed is a defect. */
interface Known {
  /** Matches `scenario: step: part.path`. */
  readonly where: RegExp;
  readonly because: string;
}

const known: readonly Known[] = [
  // Neutron shows what it is made of.
  { where: /\.standard_attr_id$/, because: "the number of a row in Neutron's database" },
  { where: /\.vlan_transparent$/, because: 'an extension that the cloud has not' },
  {
    where: /\.(resource_versions|ha_state|resources_synced)$/,
    because: "of L2 agents' and of HA, which the cloud has not",
  },
  { where: /notifications\.1\.payload(\.agent.*)?$/, because: 'an agent is told of with its resource_versions' },
  {
    where: /\.(gw_port_id|ha_vr_id)$/,
    because: "a router's own columns, which some of Neutron's answers forget to hide",
  },
  {
    where: / POST .*\.is_default$/,
    because: 'Neutron names it for a network that is not external when it is made, never again',
  },
  {
    where: /security_group_rules\.\d+\.description$/,
    because: "rules that come with a group have '' where Neutron has null",
  },
  {
    where: /\.port\.device_id$/,
    because: "a floating IP's port is told of when it is made, in Neutron before it knows its floating IP",
  },
  {
    where: /\.network\.availability_zones$/,
    because: 'Neutron tells of the first subnet or port of a network before it is scheduled',
  },
  { where: /get_service_plugin_list/, because: "names of Neutron's plugins" },

  // Messages to DHCP agents, which lead to the same.
  {
    where: /^(subnets|.*IPv6): .*(POST|DELETE|PUT) .*: casts$/,
    because: 'ports that get or lose addresses are told of; Neutron leaves it at the subnet',
  },
  { where: /_router_interface .*: casts$/, because: 'Neutron tells of an interface twice, or again as if it were new' },
  {
    where: /^floating IPs: member (POST|PUT) .*: casts$/,
    because: 'Neutron has made a port before it refuses; an association that is repeated changes nothing here',
  },
  {
    where: /^(routers|router gateways): .* POST \/v2.0\/routers .*: casts$/,
    because: 'Neutron has made a router before it refuses',
  },
  {
    where: /^port forwardings: .*: casts$/,
    because: 'Neutron pushes objects of port forwarding; the cloud says routers_updated',
  },
  { where: /^agents: admin DELETE .*l3-routers.*: casts$/, because: 'a router that is not there is not taken away' },

  // The simulated data plane.
  {
    where: /^(bound ports|what agents ask): .*binding:vif_(type|details.*)$/,
    because: 'every host can be bound to, and is at once',
  },
  { where: /^(bound ports|what agents ask): .*\.(status|revision_number)$/, because: 'what is bound is wired at once' },

  // What the cloud has less of.
  { where: /^routers: member POST .*"(distributed|ha)":true/, because: 'plain routers only, for administrators too' },
  {
    where: /^extensions and zones: /,
    because: 'extensions, providers and collections that the cloud has not, and their prose',
  },
  { where: /(tokens|projects and users): .*catalog$/, because: 'the cloud has other services' },
  { where: /headers\.www-authenticate$/, because: "the cloud's Keystone is below a path" },
  {
    where: /\/(nonsense|networks): (headers|body)/,
    because: 'paths that nobody has are refused in the words of the web server',
  },

  // Neutron's own weaknesses.
  {
    where: /^floating IPs: (admin DELETE .*networks|member DELETE .*\{direct\}).*: /,
    because: 'Neutron deletes the floating IPs of an external network before it refuses to delete the network',
  },
  { where: /dhcp_ready_on_ports .*: (failure|result)$/, because: 'the host is an argument too much for Neutron' },
  {
    where: /floatingips\/\{nothing\}\/port_forwardings/,
    because: 'Neutron finds a collision of ports before it finds no floating IP',
  },
  { where: /_extraroutes .*revision_number$/, because: 'adding what is there counts as a change here' },
  {
    where: /: member DELETE \/v2.0\/networks\/\{net\}: (status|body)/,
    because: 'Neutron looks at If-Match only when nothing else forbids it',
  },
  { where: /DELETE .*payload\.subnet\.(segment_id|shared)$/, because: "a subnet's inner columns" },

  // Not done yet: defects that are known.
  {
    where: /^(subnets|ports|quotas|bulk|what is whose): \w+ POST .*: notifications$/,
    because: 'not yet: quota and owner of the network are looked at after .start is told',
  },
  { where: /^subnets: .*"cidr":"(nonsense|0.0.0.0\/0)"/, because: 'not yet: the words' },
  { where: /^subnets of IPv6: .*\.fixed_ips$/, because: 'not yet: new fixed_ips leave the SLAAC addresses of a port' },
  {
    where: /^router interfaces: member PUT .*\{moved\}/,
    because: 'not yet: the address of an interface cannot be changed',
  },
  {
    where: /^router gateways: .*disallowed|^router gateways: member PUT .*message$/,
    because: 'not yet: all rules of the policy are named',
  },
  { where: /"protocol":"smoke".*body\.NeutronError/, because: 'not yet: the words' },
  { where: /"port_range_max":70000.*message$/, because: 'not yet: port 0 is valid' },
  {
    where: /: member (GET|PUT) .*(agents\/\{l3.agent\}|network-ip-availabilities).*NeutronError/,
    because: 'not yet: what the policy hides is HTTPNotFound',
  },
  {
    where: /^malformed requests: .*: notifications$/,
    because: 'not yet: .start is told of a body without the resource, and of a request without an id',
  },
  { where: /^(tokens|projects and users): .*\.links\.self$/, because: 'not yet: links of lists without their query' },
  { where: /^tokens: .*("auth":\{\}|"password":"x"|GET \/v3: )/, because: 'not yet: what lacks in a login is named' },
  {
    where: /^projects and users: .*\.(description|tags|immutable|extra|message)$/,
    because: 'not yet: attributes of users, domains and roles, and words of a JSON schema',
  },
  { where: /mtu=wide/, because: 'not yet: filters of numbers are checked' },
];

export interface Judged {
  /** Differences that nobody has allowed. */
  readonly unknown: readonly Difference[];
  /** What was allowed and did not occur. */
  readonly stale: readonly string[];
}

export function judge(found: readonly Difference[]): Judged {
  return {
    unknown: found.filter(({ where }) => !known.some((one) => one.where.test(where))),
    stale: known
      .filter((one) => !found.some(({ where }) => one.where.test(where)))
      .map(({ where, because }) => `${where}: ${because}`),
  };
}
