import type {
  EndpointGroup2016,
  IpsecConnection2016,
  Subnet2016,
  VpnService2016,
} from '@astara/model/appliance/api/v1.ts';
import type { Vpn, VpnConnection } from '@astara/model/appliance/vpn.ts';
import { ipVersion } from '@astara/model/ip.ts';
import type { Notes } from './notes.ts';

/** VPNaaS objects as Neutron had them: a service per router and subnet, connections with their policies and groups. */
export function translateVpn(
  services: readonly VpnService2016[],
  subnets: readonly Subnet2016[],
  notes: Notes,
): Vpn | undefined {
  if (services.length === 0) return undefined;
  const cidrs = new Map(subnets.map(({ id, cidr }) => [id, cidr]));
  const connections: VpnConnection[] = [];
  services.forEach((service, index) => {
    service.ipsec_connections.forEach((connection, position) => {
      const field = `/vpn/ipsec/${index}/ipsec_connections/${position}`;
      const today = `/vpn/connections/${connections.length}`;
      notes
        .moved(today, field)
        .made(`${today}/local_address`, `/vpn/ipsec/${index}`)
        .made(`${today}/local_cidrs`, `${field}/local_ep_group`)
        .made(`${today}/peer_cidrs`, `${field}/peer_ep_group`)
        .moved(`${today}/ike_policy`, `${field}/ikepolicy`)
        .made(`${today}/ike_policy/aggressive`, `${field}/ikepolicy/phase1_negotiation_mode`)
        .moved(`${today}/ipsec_policy`, `${field}/ipsecpolicy`);
      connections.push(translateConnection(service, connection, field, cidrs, notes));
    });
  });
  return { connections };
}

function translateConnection(
  service: VpnService2016,
  connection: IpsecConnection2016,
  field: string,
  cidrs: ReadonlyMap<string, string>,
  notes: Notes,
): VpnConnection {
  const { ikepolicy: ike, ipsecpolicy: ipsec, local_ep_group, peer_ep_group } = connection;
  const local = ipVersion(connection.peer_address) === 6 ? service.external_v6_ip : service.external_v4_ip;
  if (!local) notes.fail(field, 'its service has no external address of the version of peer_address');
  const ofService = { type: 'subnet' as const, endpoints: service.subnet_id ? [service.subnet_id] : [] };
  const ofPeer = { type: 'cidr' as const, endpoints: connection.peer_cidrs ?? [] };
  return {
    id: connection.id,
    ...(connection.name !== undefined && { name: connection.name }),
    admin_state_up: service.admin_state_up && connection.admin_state_up,
    local_address: local || '',
    peer_address: connection.peer_address,
    peer_id: connection.peer_id,
    psk: connection.psk,
    initiator: connection.initiator,
    local_cidrs: prefixes(local_ep_group ?? ofService, `${field}/local_ep_group`, cidrs, notes),
    peer_cidrs: prefixes(peer_ep_group ?? ofPeer, `${field}/peer_ep_group`, cidrs, notes),
    dpd: connection.dpd,
    mtu: connection.mtu,
    ike_policy: {
      ike_version: ike.ike_version,
      auth_algorithm: ike.auth_algorithm,
      encryption_algorithm: ike.encryption_algorithm,
      pfs: ike.pfs,
      ...seconds(ike.lifetime),
      ...(ike.phase1_negotiation_mode === 'aggressive' && { aggressive: true }),
    },
    ipsec_policy: {
      transform_protocol: ipsec.transform_protocol,
      encapsulation_mode: ipsec.encapsulation_mode,
      auth_algorithm: ipsec.auth_algorithm,
      encryption_algorithm: ipsec.encryption_algorithm,
      pfs: ipsec.pfs,
      ...seconds(ipsec.lifetime),
    },
  };
}

/** A lifetime in kilobytes was configured as one in seconds; here it is the default. */
function seconds({ units, value }: IpsecConnection2016['ikepolicy']['lifetime']): { lifetime?: number } {
  return units === 'seconds' ? { lifetime: value } : {};
}

function prefixes(
  { type, endpoints }: Pick<EndpointGroup2016, 'type' | 'endpoints'>,
  field: string,
  cidrs: ReadonlyMap<string, string>,
  notes: Notes,
): string[] {
  const found = type === 'cidr' ? endpoints : endpoints.flatMap((id) => cidrs.get(id) ?? []);
  if (found.length === 0) notes.fail(field, 'names no subnet of the body and no prefix');
  return [...found];
}
