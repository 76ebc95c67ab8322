import { createPrivateKey, X509Certificate } from 'node:crypto';
import { Secret } from '@astara/config/secret.ts';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Dpd, VpnCertificate, VpnConnection } from '@astara/model/appliance/vpn.ts';
import { digest } from '@astara/model/digest.ts';
import { networkOf } from '@astara/model/ip.ts';
import { errors } from '../../errors.ts';
import { ip, type Prefix, prefix } from '../../values.ts';
import { vpnConnections } from './connections.ts';
import type { CharonNode, ConnectionNode, Lost, ProofNode, TunnelNode, VpnNode } from './nodes.ts';
import { ahProposal, authenticates, espProposal, ikeProposal } from './proposals.ts';
import { connectionName, ikeId } from './values.ts';

const DEFAULT_LIFETIME = 3600;
/** VPNaaS's. */
const DEFAULT_DPD: Dpd = { action: 'hold', interval: 30, timeout: 120 };
/** How much longer each retransmission waits than the one before; charon's default. */
const BASE = 1.8;
/** charon's own, in all, for those who look at nothing. Seconds. */
const DEFAULT_TIMEOUT = 165;

/** What charon is to do; undefined when there is no connection, and then there is no charon. */
export function desiredVpn(config: ApplianceConfig, warn: (text: string) => void): VpnNode | undefined {
  const all = vpnConnections(config, warn);
  if (all.length === 0) return undefined;
  const taken = new Set<number>();
  const connections = all.map(({ connection, field }) => {
    const { ike_version, encryption_algorithm } = connection.ike_policy;
    if (ike_version === 'v1' && authenticates(encryption_algorithm)) {
      warn(`${field}/ike_policy/encryption_algorithm: IKEv1 has no ${encryption_algorithm}, no peer will accept it`);
    }
    return connectionNode(connection, field, taken);
  });
  return Object.freeze({
    charon: charonNode(all.map(({ connection }) => connection)),
    connections: new Map(connections.map((node) => [node.name, node])),
  });
}

function charonNode(connections: readonly VpnConnection[]): CharonNode {
  const mtus = connections.flatMap(({ mtu }) => (mtu === undefined ? [] : [mtu]));
  const timeouts = connections
    .filter(({ ike_policy, dpd }) => ike_policy.ike_version === 'v2' && dpd?.action !== 'disabled')
    .map(({ dpd = DEFAULT_DPD }) => dpd.timeout);
  return Object.freeze({
    mtu: mtus.length === 0 ? undefined : Math.min(...mtus),
    retransmission: retransmission(timeouts.length === 0 ? DEFAULT_TIMEOUT : Math.min(...timeouts)),
    aggressivePsk: connections.some(({ ike_policy, psk }) => ike_policy.aggressive === true && psk !== undefined),
  });
}

/**
 * With IKEv2 a peer is dead when the last retransmission of a question is not answered either (RFC 7296 §2.4). The first is sent
 * after half a second to a second, and then as many as it takes until `timeout` seconds are over.
 */
export function retransmission(timeout: number): CharonNode['retransmission'] {
  let all = 1;
  let tries = 0;
  while (all < timeout) {
    tries += 1;
    all += BASE ** tries;
  }
  return { first: Math.round((timeout / all) * 1000) / 1000, base: BASE, tries };
}

function connectionNode(connection: VpnConnection, field: string, taken: Set<number>): ConnectionNode {
  const { ike_policy: ike, dpd = DEFAULT_DPD, local_id } = connection;
  const local = ip(connection.local_address, `${field}/local_address`);
  const proof = proofNode(connection, field);
  const ownId = local_id ?? (proof.kind === 'psk' ? local : undefined);
  const peer = connection.peer_address;
  const id = connection.id.toLowerCase();
  const node: Omit<ConnectionNode, 'name'> = {
    id,
    version: ike.ike_version === 'v1' ? 1 : 2,
    aggressive: ike.aggressive === true,
    local,
    remote: peer === undefined ? undefined : ip(peer, `${field}/peer_address`),
    localId: ownId === undefined ? undefined : ikeId(ownId, `${field}/local_id`),
    remoteId: ikeId(connection.peer_id, `${field}/peer_id`),
    proof,
    proposal: ikeProposal(ike),
    lifetime: ike.lifetime ?? DEFAULT_LIFETIME,
    dpd: dpd.action === 'disabled' ? undefined : { delay: dpd.interval, timeout: dpd.timeout },
    tunnels: tunnelNodes(connection, dpd, field).map((tunnel) => ({
      ...tunnel,
      reqid: peer === undefined ? undefined : reqid(`${id} ${tunnel.name}`, taken),
    })),
  };
  // Secrets are masked in JSON: the name, which everybody may see, tells nothing of them.
  const made = digest(JSON.parse(JSON.stringify(node))).slice(0, 8);
  return Object.freeze({ ...node, name: connectionName(id, made, `${field}/id`) });
}

function proofNode({ psk, certificate }: VpnConnection, field: string): ProofNode {
  if (certificate !== undefined) return certificateNode(certificate, `${field}/certificate`);
  return { kind: 'psk', psk: new Secret(psk ?? '') };
}

function certificateNode(given: VpnCertificate, field: string): ProofNode {
  try {
    const key = createPrivateKey(given.private_key);
    const type = key.asymmetricKeyType;
    return {
      kind: 'certificate',
      certificate: new X509Certificate(given.certificate).raw,
      key: new Secret(key.export({ format: 'pem', type: 'pkcs8' }).toString()),
      keyType: type === 'rsa' ? 'rsa' : type === 'ec' ? 'ecdsa' : 'eddsa',
      authorities: given.ca_certificates.map((pem) => new X509Certificate(pem).raw),
    };
  } catch {
    // The cause of a parser may show what it was given.
    const params = { field, value: 'what is there', kind: 'a certificate with its key' };
    throw errors.make('APPLIANCE_VALUE_REFUSED', params, { field });
  }
}

/** IKEv2 says all subnets in one tunnel, IKEv1 can only say a pair. */
function tunnelNodes(connection: VpnConnection, dpd: Dpd, field: string): Omit<TunnelNode, 'reqid'>[] {
  const { ipsec_policy: policy, ike_policy, initiator } = connection;
  const start = initiator === 'bi-directional';
  const lost = lostOf(dpd, start);
  const rest = {
    protocol: policy.transform_protocol === 'ah' ? ('ah' as const) : ('esp' as const),
    mode: policy.encapsulation_mode,
    proposal: policy.transform_protocol === 'ah' ? ahProposal(policy) : espProposal(policy),
    lifetime: policy.lifetime ?? DEFAULT_LIFETIME,
    start,
    lost,
    // Who only answers leaves it to the peer to come back.
    closed: start ? lost : ('clear' as const),
  };
  const local = networks(connection.local_cidrs, `${field}/local_cidrs`);
  const remote = networks(connection.peer_cidrs, `${field}/peer_cidrs`);
  if (ike_policy.ike_version === 'v2') return [{ name: 'net', local, remote, ...rest }];
  return local.flatMap((from, i) =>
    remote.flatMap((to, j) => {
      const same = from.includes(':') === to.includes(':');
      return same ? [{ name: `net-${i}-${j}`, local: [from], remote: [to], ...rest }] : [];
    }),
  );
}

/** The same for a tunnel whatever the others are, as far as that goes. Small ones are left to charon. */
function reqid(tunnel: string, taken: Set<number>): number {
  let number = Number.parseInt(digest(tunnel).slice(0, 7), 16) + 65_536;
  while (taken.has(number)) number += 1;
  taken.add(number);
  return number;
}

function lostOf({ action }: Dpd, start: boolean): Lost {
  if (action === 'hold') return start ? 'hold' : 'clear';
  if (action === 'restart' || action === 'restart-by-peer') return start ? 'restart' : 'clear';
  return 'clear';
}

function networks(cidrs: readonly string[], field: string): Prefix[] {
  return [...new Set(cidrs.map((cidr, index) => networkOf(prefix(cidr, `${field}/${index}`)) as Prefix))];
}
