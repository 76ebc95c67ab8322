import { by, scenario } from '../step.ts';

const admin = by('admin');
const member = by('member');
const stranger = by('stranger');

const rule = { security_group_id: '{group}', direction: 'ingress' };

export const securityGroups = [
  scenario(
    'security groups',
    member.list('security_group', '?name=default'),
    member.create('security_group', 'group', { name: 'web', description: 'for servers' }),
    member.show('security_group', 'group'),
    member.update('security_group', 'group', { name: 'renamed' }),
    member.update('security_group', 'group', { stateful: false }),
    member.create('security_group', '', { name: 'default' }),
    member.create('security_group', '', { colour: 'red' }),
    member.get('security-groups?name=default&fields=id', { default: 'security_groups.0.id' }),
    member.update('security_group', 'default', { name: 'mine' }),
    member.remove('security_group', 'default'),
    member.create('security_group_rule', 'http', {
      ...rule,
      protocol: 'tcp',
      port_range_min: 80,
      port_range_max: 80,
      remote_ip_prefix: '10.0.0.7/8',
    }),
    member.show('security_group_rule', 'http'),
    member.create('security_group_rule', '', {
      ...rule,
      protocol: 'tcp',
      port_range_min: 80,
      port_range_max: 80,
      remote_ip_prefix: '10.0.0.7/8',
    }),
    member.create('security_group_rule', 'group6', { ...rule, ethertype: 'IPv6', remote_group_id: '{group}' }),
    member.create('security_group_rule', 'icmp', { ...rule, protocol: 'icmp', port_range_min: 8, port_range_max: 0 }),
    member.create('security_group_rule', 'gre', { ...rule, direction: 'egress', protocol: 47, description: 'gre' }),
    member.create('security_group_rule', '', { ...rule, port_range_min: 80, port_range_max: 80 }),
    member.create('security_group_rule', '', { ...rule, protocol: 'tcp', port_range_min: 90, port_range_max: 80 }),
    member.create('security_group_rule', '', { ...rule, protocol: 'tcp', port_range_min: 0, port_range_max: 70000 }),
    member.create('security_group_rule', '', { ...rule, protocol: 'smoke' }),
    member.create('security_group_rule', '', { ...rule, protocol: 'icmp', port_range_min: 300 }),
    member.create('security_group_rule', '', { ...rule, remote_ip_prefix: '2001:db8::/32' }),
    member.create('security_group_rule', '', { ...rule, remote_ip_prefix: 'x' }),
    member.create('security_group_rule', '', { ...rule, remote_ip_prefix: '10.0.0.0/8', remote_group_id: '{group}' }),
    member.create('security_group_rule', '', { ...rule, direction: 'sideways' }),
    member.create('security_group_rule', '', { ...rule, ethertype: 'IPv5' }),
    member.create('security_group_rule', '', { direction: 'ingress' }),
    member.create('security_group_rule', '', { ...rule, security_group_id: '{nothing}' }),
    member.create('security_group_rule', '', { ...rule, remote_group_id: '{nothing}' }),
    stranger.show('security_group', 'group'),
    stranger.create('security_group_rule', '', { ...rule, protocol: 'udp' }),
    stranger.remove('security_group', 'group'),
    admin.show('security_group', 'group'),
    member.list('security_group_rule', '?security_group_id={group}&fields=protocol&fields=direction&fields=ethertype'),
    member.remove('security_group_rule', 'http'),
    member.remove('security_group_rule', 'http'),
    member.show('security_group_rule', 'nothing'),
    member.remove('security_group', 'group'),
    member.show('security_group', 'group'),
    member.remove('security_group', 'nothing'),
  ),
];
