import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { validateConfig } from '@astara/model/appliance/rules.ts';
import fc from 'fast-check';
import { anyConfig } from './arbitrary.ts';
import { withDns } from './arbitrary-dhcp.ts';
import { anyFirewallConfig } from './arbitrary-firewall.ts';
import { haConfig } from './arbitrary-ha.ts';
import { anyLinkConfig } from './arbitrary-link.ts';
import { anyRoutedConfig } from './arbitrary-routing.ts';
import { anyVpn } from './arbitrary-vpn.ts';
import { config } from './configs.ts';

const anyIdentity = fc.record(
  {
    time_zone: fc.constantFrom('UTC', 'Europe/Berlin', 'Etc/GMT+12'),
    authorized_keys: fc.constant<string[]>(['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2 somebody@somewhere']),
    nameservers: fc.constant<string[]>(['192.0.2.1', '2001:db8::1']),
    search_domains: fc.constant<string[]>(['example.org']),
  },
  { requiredKeys: [] },
);

/** Valid configurations with something of everything: what fuzzing starts from. */
export const anything: fc.Arbitrary<ApplianceConfig> = fc
  .oneof(
    anyConfig,
    anyConfig.chain((made) =>
      fc.tuple(...made.networks.map((net, index) => withDns(net, index))).map((networks) => ({ ...made, networks })),
    ),
    anyFirewallConfig,
    anyLinkConfig,
    anyRoutedConfig,
    anyVpn().map((vpn) => config([], { vpn })),
    fc.tuple(haConfig, anyIdentity).map(([made, identity]): ApplianceConfig => ({ ...made, identity })),
  )
  .filter((made) => validateConfig(made).ok);
