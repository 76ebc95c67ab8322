import type { Service } from '../service.ts';
import { desiredNetworks } from './desired.ts';
import { DhcpRunner } from './runner.ts';
import { type DhcpState, type NetworkChange, networkState, planNetworks } from './state.ts';

export const dhcpService: Service<DhcpState, NetworkChange, DhcpRunner> = {
  name: 'dhcp',
  reads: ['networks', 'metadata', 'dns_forwarders', 'dhcp_lease_duration'],
  compile: (config, { runDirInside, warn }) => {
    return new Map(desiredNetworks(config, warn).map((node) => [node.ifname, networkState(node, runDirInside)]));
  },
  plan: planNetworks,
  open: (context) => new DhcpRunner(context),
};
