import type { Service } from '../service.ts';
import { desiredFirewall } from './desired.ts';
import { planFirewall } from './plan.ts';
import { type FirewallChange, FirewallRunner } from './runner.ts';
import { closedFirewall, type FirewallState } from './state.ts';

export const firewallService: Service<FirewallState, FirewallChange, FirewallRunner> = {
  name: 'firewall',
  reads: [
    'networks',
    'floating_ips',
    'port_forwardings',
    'snat',
    'snat_addresses',
    'static_routes',
    'default_v4_gateway',
    'default_v6_gateway',
    'metadata',
    'labels',
    'address_book',
    'anchors',
    'firewall_groups',
    'flow_offload',
    'bgp',
    'ha',
    'vpn',
  ],
  compile: desiredFirewall,
  plan: planFirewall,
  initial: closedFirewall,
  open: (context) => new FirewallRunner(context),
};
