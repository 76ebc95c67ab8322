import type { AnyService } from '../apply/state.ts';
import { dhcpService } from './dhcp/service.ts';
import { firewallService } from './firewall/service.ts';
import { haService } from './ha/service.ts';
import { identityService } from './identity/service.ts';
import { linkService } from './link/service.ts';
import { metadataService } from './metadata/service.ts';
import { routingService } from './routing/service.ts';
import { vpnService } from './vpn/service.ts';

/** Everything an appliance does; within a phase in this order. */
export const services: readonly AnyService[] = [
  linkService,
  firewallService,
  dhcpService,
  routingService,
  metadataService,
  identityService,
  vpnService,
  // Last: a member that may become master has everything else.
  haService,
];
