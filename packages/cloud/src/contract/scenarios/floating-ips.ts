import { by, type Step, scenario } from '../step.ts';
import { surroundings } from './routers.ts';

const admin = by('admin');
const member = by('member');
const stranger = by('stranger');

/** A router between inside and outside, and a port inside. */
const joined: readonly Step[] = [
  ...surroundings,
  member.create('router', 'router', { name: 'r', external_gateway_info: { network_id: '{ext}' } }),
  member.put('routers/{router}/add_router_interface', { subnet_id: '{sub}' }),
  member.create('port', 'port', { network_id: '{net}', fixed_ips: [{ ip_address: '10.1.0.10' }] }),
];

const out = { floating_network_id: '{ext}' };

export const floatingIps = [
  scenario(
    'floating IPs',
    joined,
    member.create('floatingip', 'fip', out, { address: 'floatingip.floating_ip_address' }),
    member.show('floatingip', 'fip'),
    admin.get('ports?device_id={fip}'),
    member.update('floatingip', 'fip', { port_id: '{port}' }),
    member.update('floatingip', 'fip', { port_id: '{port}' }),
    member.show('floatingip', 'fip'),
    member.list('floatingip', '?port_id={port}&fields=id&fields=status'),
    member.list('floatingip', '?floating_ip_address={address}&fields=id'),
    member.create('floatingip', '', { ...out, port_id: '{port}' }),
    member.update('router', 'router', { external_gateway_info: null }),
    member.put('routers/{router}/remove_router_interface', { subnet_id: '{sub}' }),
    member.update('floatingip', 'fip', { description: 'renamed' }),
    member.update('floatingip', 'fip', { port_id: null }),
    member.create('floatingip', 'direct', {
      ...out,
      port_id: '{port}',
      fixed_ip_address: '10.1.0.10',
      description: 'at once',
    }),
    member.create('port', 'wide', {
      network_id: '{net}',
      fixed_ips: [{ ip_address: '10.1.0.11' }, { ip_address: '10.1.0.12' }],
    }),
    member.update('floatingip', 'fip', { port_id: '{wide}' }),
    member.update('floatingip', 'fip', { port_id: '{wide}', fixed_ip_address: '10.1.0.12' }),
    member.update('floatingip', 'fip', { port_id: '{wide}', fixed_ip_address: '10.1.0.99' }),
    member.update('floatingip', 'fip', { fixed_ip_address: '10.1.0.11' }),
    member.update('floatingip', 'fip', { floating_network_id: '{net}' }),
    member.update('floatingip', 'fip', { port_id: '{nothing}' }),
    member.create('floatingip', '', { floating_network_id: '{net}' }),
    member.create('floatingip', '', { floating_network_id: '{nothing}' }),
    member.create('floatingip', '', { description: 'nowhere' }),
    member.create('floatingip', '', { ...out, port_id: '{nothing}' }),
    member.create('floatingip', '', { ...out, fixed_ip_address: '10.1.0.10' }),
    member.create('floatingip', '', { ...out, floating_ip_address: '192.0.2.60' }),
    admin.create('floatingip', 'chosen', { ...out, floating_ip_address: '192.0.2.60' }),
    admin.create('floatingip', '', { ...out, floating_ip_address: '192.0.2.60' }),
    admin.create('floatingip', '', { ...out, floating_ip_address: '10.99.0.1' }),
    member.create('floatingip', 'onsub', { ...out, subnet_id: '{way}' }),
    member.create('floatingip', '', { ...out, subnet_id: '{sub}' }),
    member.create('network', 'island', { name: 'island' }),
    member.create('subnet', 'beach', { network_id: '{island}', ip_version: 4, cidr: '10.9.0.0/24' }),
    member.create('port', 'lonely', { network_id: '{island}' }),
    member.create('floatingip', '', { ...out, port_id: '{lonely}' }),
    member.update('floatingip', 'onsub', { port_id: '{lonely}' }),
    stranger.show('floatingip', 'fip'),
    stranger.update('floatingip', 'fip', { port_id: null }),
    stranger.create('floatingip', 'theirs', out),
    stranger.update('floatingip', 'theirs', { port_id: '{lonely}' }),
    member.remove('port', 'port'),
    member.show('floatingip', 'direct'),
    admin.remove('network', 'ext'),
    member.remove('floatingip', 'direct'),
    member.remove('floatingip', 'fip'),
    member.remove('floatingip', 'fip'),
    member.show('floatingip', 'fip'),
  ),
  scenario(
    'port forwardings',
    joined,
    member.create('floatingip', 'fip', out),
    member.post('floatingips/{fip}/port_forwardings', forwarding({ description: 'web' }), {
      fwd: 'port_forwarding.id',
    }),
    member.get('floatingips/{fip}/port_forwardings/{fwd}'),
    member.get('floatingips/{fip}/port_forwardings'),
    member.show('floatingip', 'fip'),
    member.post('floatingips/{fip}/port_forwardings', forwarding({})),
    member.post('floatingips/{fip}/port_forwardings', forwarding({ external_port: 8081 })),
    member.post('floatingips/{fip}/port_forwardings', forwarding({ external_port: 0 })),
    member.post('floatingips/{fip}/port_forwardings', forwarding({ external_port: 70000 })),
    member.post('floatingips/{fip}/port_forwardings', forwarding({ protocol: 'smoke' })),
    member.post('floatingips/{fip}/port_forwardings', forwarding({ internal_port_id: '{nothing}' })),
    member.post(
      'floatingips/{fip}/port_forwardings',
      forwarding({ internal_ip_address: '10.1.0.99', external_port: 82 }),
    ),
    member.post('floatingips/{nothing}/port_forwardings', forwarding({})),
    member.put('floatingips/{fip}/port_forwardings/{fwd}', { port_forwarding: { external_port: 8888 } }),
    member.put('floatingips/{fip}/port_forwardings/{fwd}', { port_forwarding: { colour: 'red' } }),
    member.update('floatingip', 'fip', { port_id: '{port}' }),
    member.create('floatingip', 'second', { ...out, port_id: '{port}' }),
    member.get('floatingips/{fip}/port_forwardings/{nothing}'),
    member.del('floatingips/{fip}/port_forwardings/{fwd}'),
    member.del('floatingips/{fip}/port_forwardings/{fwd}'),
    member.show('floatingip', 'fip'),
  ),
];

function forwarding(more: Readonly<Record<string, string | number>>) {
  return {
    port_forwarding: {
      internal_port_id: '{port}',
      internal_ip_address: '10.1.0.10',
      internal_port: 80,
      external_port: 8080,
      protocol: 'tcp',
      ...more,
    },
  };
}
