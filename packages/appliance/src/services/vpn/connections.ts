import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { VpnConnection } from '@astara/model/appliance/vpn.ts';
import { contains, parseCidr } from '@astara/model/ip.ts';

export interface PlacedConnection {
  readonly connection: VpnConnection;
  /** JSON pointer. */
  readonly field: string;
}

/**
 * The connections that are wanted and can be had, in their order. The firewall asks here as well: it opens itself for these only.
 */
export function vpnConnections(
  config: ApplianceConfig,
  warn: (text: string) => void = () => undefined,
): readonly PlacedConnection[] {
  const all = (config.vpn?.connections ?? []).map((connection, index) => {
    return { connection, field: `/vpn/connections/${index}` };
  });
  return all.filter(({ connection, field }) => {
    if (connection.admin_state_up === false) return false;
    const reason = obstacle(connection);
    if (reason !== undefined) warn(`${field}: left out, because ${reason}`);
    return reason === undefined;
  });
}

function obstacle({ ipsec_policy, local_cidrs, peer_cidrs }: VpnConnection): string | undefined {
  if (ipsec_policy.transform_protocol === 'ah-esp') return 'strongSwan knows no AH around ESP';
  for (const local of local_cidrs) {
    const peer = peer_cidrs.find((cidr) => overlap(local, cidr));
    if (peer !== undefined) return `${peer} of the peer overlaps ${local} of this side`;
  }
  return undefined;
}

function overlap(a: string, b: string): boolean {
  const [x, y] = [parseCidr(a), parseCidr(b)];
  return x !== undefined && y !== undefined && (contains(a, y.address) || contains(b, x.address));
}
