import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { PrefixTable } from '../../prefix-table.ts';
import { ifname, ip, prefix } from '../../values.ts';
import { vpnConnections } from '../vpn/connections.ts';
import { type Interval, intervalOf, intervalText, partition, union, versionOf } from './intervals.ts';
import { protocolNumbers } from './protocols.ts';

/** RFC 5881 §4, RFC 5880 §6.8.7 (echo), RFC 5883 §5. */
const BFD_PORTS = ['3784-3785', '4784'] as const;
/** conntrackd's, as the ha service sets it. */
const CONNTRACKD_PORT = '3780';
const { tcp, udp, esp, ah, vrrp } = protocolNumbers;

type Elements = Map<string, string>;
export type OpeningElements = Record<
  'open4' | 'open6' | 'open_protocol4' | 'open_protocol6' | 'tunnel4' | 'tunnel6' | 'sealed_if',
  Elements
>;

/** What the appliance's own services are asked by their peers. */
export function desiredOpenings(config: ApplianceConfig): OpeningElements {
  const elements: OpeningElements = {
    open4: new Map(),
    open6: new Map(),
    open_protocol4: new Map(),
    open_protocol6: new Map(),
    tunnel4: new Map(),
    tunnel6: new Map(),
    sealed_if: new Map(),
  };
  const attached = new PrefixTable<string>();
  for (const { interface: port } of config.networks) for (const cidr of port.addresses) attached.add(cidr, port.ifname);
  const externals = config.networks
    .filter((network) => network.network_type === 'external')
    .map((network) => network.interface.ifname);
  /** The interfaces on which a peer is met. */
  const towards = (address: string) => {
    const direct = attached.find(address);
    return direct === undefined ? externals : [direct];
  };
  const open = (name: string, peer: string, protocol: number, ports: readonly string[] = []) => {
    const version = versionOf(peer);
    const key = `${ifname(name, 'interface')} . ${peer} . ${protocol}`;
    if (ports.length === 0) elements[`open_protocol${version}`].set(key, '');
    for (const port of ports) elements[`open${version}`].set(`${key} . ${port}`, '');
  };

  config.bgp?.neighbors.forEach((neighbor, index) => {
    const peer = ip(neighbor.address, `/bgp/neighbors/${index}/address`);
    for (const name of neighbor.interface === undefined ? towards(peer) : [neighbor.interface]) {
      open(name, peer, tcp, ['179']);
      if (neighbor.bfd === true) open(name, peer, udp, BFD_PORTS);
    }
  });
  openMembers(config, open);
  openTunnels(config, externals, elements, open);
  return {
    ...elements,
    open4: uncovered(elements.open4),
    open6: uncovered(elements.open6),
    open_protocol4: uncovered(elements.open_protocol4),
    open_protocol6: uncovered(elements.open_protocol6),
  };
}

type Open = (ifname: string, peer: string, protocol: number, ports?: readonly string[]) => void;

/** Members hear each other on one interface; by multicast it may be anybody there. */
function openMembers({ ha }: ApplianceConfig, open: Open): void {
  if (ha === undefined) return;
  const peers = ha.peers.map((peer, index) => ip(peer, `/ha/peers/${index}`));
  for (const peer of peers.length === 0 ? ['0.0.0.0/0', '::/0'] : peers) {
    open(ha.interface, peer, vrrp);
    open(ha.interface, peer, udp, [CONNTRACKD_PORT]);
  }
}

function openTunnels(
  config: ApplianceConfig,
  externals: readonly string[],
  elements: OpeningElements,
  open: Open,
): void {
  const connections = vpnConnections(config);
  const pairs: Record<4 | 6, (Interval & { readonly owner: string })[]> = { 4: [], 6: [] };
  for (const { connection, field } of connections) {
    const everybody = versionOf(connection.local_address) === 4 ? '0.0.0.0/0' : '::/0';
    const { peer_address } = connection;
    const peer = peer_address === undefined ? everybody : ip(peer_address, `${field}/peer_address`);
    for (const name of externals) {
      open(name, peer, udp, ['500', '4500']);
      open(name, peer, esp);
      open(name, peer, ah);
    }
    for (const local of connection.local_cidrs) {
      for (const remote of connection.peer_cidrs) {
        const version = versionOf(local);
        if (version !== versionOf(remote)) continue;
        const owner = prefix(remote, `${field}/peer_cidrs`);
        pairs[version].push({ ...intervalOf(prefix(local, `${field}/local_cidrs`)), owner });
      }
    }
  }
  for (const version of [4, 6] as const) {
    for (const local of partition(pairs[version])) {
      for (const remote of union(local.owners.map(intervalOf))) {
        elements[`tunnel${version}`].set(`${intervalText(local, version)} . ${intervalText(remote, version)}`, '');
      }
    }
  }
  if (connections.length > 0) for (const name of externals) elements.sealed_if.set(ifname(name, 'interface'), '');
}

/** Without what another element says already of everybody: nft refuses elements that overlap. */
function uncovered(elements: Elements): Elements {
  const result: Elements = new Map();
  for (const [key, value] of elements) {
    const [name = '', peer = '', ...rest] = key.split(' . ');
    const everybody = versionOf(peer) === 4 ? '0.0.0.0/0' : '::/0';
    if (peer === everybody || !elements.has([name, everybody, ...rest].join(' . '))) result.set(key, value);
  }
  return result;
}
