import { digest } from '@astara/model/digest.ts';
import {
  type AddressNode,
  type HaNode,
  type HopNode,
  type InstanceNode,
  instanceName,
  type RouteNode,
  type SyncNode,
} from './nodes.ts';

/** As the daemons see them. */
export interface HaPaths {
  /** keepalived says here which state it enters. */
  readonly fifo: string;
  readonly lock: string;
  readonly control: string;
}

/** As whom both run: Debian has no accounts for them. */
export const HA_USER = 'nobody';
/** As conntrackd of Debian has it by default. */
const CONNTRACKD_PORT = 3780;
/** Connections that it remembers. */
const CONNTRACKD_LIMIT = 1_048_576;
const SOCKET_BUFFER = 1_249_280;

/**
 * keepalived.conf(5). With `addresses: false` what the router has is left out: a keepalived that starts removes all addresses of
 * its configuration, also those that serve clients and that nobody else has taken over yet.
 */
export function renderKeepalived(
  node: HaNode,
  paths: HaPaths,
  { addresses, conntrackd }: { addresses: boolean; conntrackd: string | undefined },
): string {
  const names = node.instances.map(instanceName);
  return lines([
    ...block('global_defs', [
      'router_id astara',
      'vrrp_version 3',
      'dynamic_interfaces',
      'enable_script_security',
      // Before the FIFO, which is only written to again after a reload when this user is known by then (2.2.7).
      `script_user ${HA_USER}`,
      `vrrp_notify_fifo ${paths.fifo}`,
      // Neighbours are told again a little later, for those who missed it.
      'vrrp_garp_master_delay 2',
      'vrrp_garp_master_repeat 1',
      // Of two masters that meet again the one that stays hears of the other, and tells neighbours that it is still there.
      'vrrp_higher_prio_send_advert true',
    ]),
    ...(names.length < 2 ? [] : block('vrrp_sync_group router', block('group', names))),
    ...node.instances.flatMap((instance) => vrrpInstance(node, instance, addresses, conntrackd)),
  ]);
}

function vrrpInstance(
  node: HaNode,
  instance: InstanceNode,
  addresses: boolean,
  conntrackd: string | undefined,
): string[] {
  const { version, source, peers, primary } = instance;
  return block(`vrrp_instance ${instanceName(instance)}`, [
    'state BACKUP',
    `interface ${node.interface}`,
    `virtual_router_id ${node.vrid}`,
    `priority ${node.priority}`,
    `advert_int ${node.advertInterval / 1000}`,
    ...(node.nopreempt ? ['nopreempt'] : []),
    ...(peers.length === 0
      ? // IPv6 multicast leaves from the link-local address (RFC 9568 §5.1.2.1).
        version === 4
        ? [`mcast_src_ip ${source}`]
        : []
      : [`unicast_src_ip ${source}`, ...block('unicast_peer', peers)]),
    ...listed('track_interface', node.tracked),
    // Of two masters that meet again, the one that gives up sends what came up at its side (conntrackd(8), -B): not always in time.
    ...(conntrackd === undefined ? [] : [`notify_backup "/usr/sbin/conntrackd -C ${conntrackd} -B"`]),
    ...block('virtual_ipaddress', [address(primary)]),
    ...listed('virtual_ipaddress_excluded', addresses ? instance.addresses.map(address) : []),
    ...listed('virtual_routes', addresses ? instance.routes.map(route) : []),
  ]);
}

function address({ cidr, ifname }: AddressNode): string {
  return `${cidr} dev ${ifname}`;
}

/** Not tracked: a route that somebody deletes by hand must not move the mastership. */
function route({ destination, hops }: RouteNode): string {
  const [first, ...others] = hops;
  if (first === undefined) return `${destination} no_track`;
  if (others.length === 0) return `${destination} ${hop(first)} no_track`;
  return `${destination} no_track ${hops.map((each) => `nexthop ${hop(each)} weight ${each.weight}`).join(' ')}`;
}

function hop({ via, ifname }: HopNode): string {
  return via === undefined ? `dev ${ifname}` : `via ${via} dev ${ifname} onlink`;
}

/** conntrackd.conf(5). Entries go straight into the other members' kernels: a takeover waits for nothing. */
export function renderConntrackd(node: SyncNode, paths: HaPaths): string {
  const mode = node.peer === undefined ? 'NOTRACK' : 'FTFW';
  return lines([
    ...block('Sync', [
      ...block(`Mode ${mode}`, ['DisableExternalCache yes', 'StartupResync yes']),
      ...block(node.peer === undefined ? 'Multicast' : 'UDP', [
        ...channel(node),
        `Interface ${node.interface}`,
        `SndSocketBuffer ${SOCKET_BUFFER}`,
        `RcvSocketBuffer ${SOCKET_BUFFER}`,
        'Checksum yes',
      ]),
    ]),
    ...block('General', [
      'Systemd no',
      'HashSize 32768',
      `HashLimit ${CONNTRACKD_LIMIT}`,
      'LogFile no',
      'Syslog no',
      `LockFile ${paths.lock}`,
      ...block('UNIX', [`Path ${paths.control}`]),
      'NetlinkBufferSize 2097152',
      'NetlinkBufferSizeMaxGrowth 8388608',
      ...block('Filter From Userspace', [
        ...block('Protocol Accept', ['TCP', 'SCTP', 'DCCP', 'UDP', 'ICMP', 'IPv6-ICMP']),
        ...block(
          'Address Ignore',
          ['127.0.0.1', '::1', ...node.ignored].map((each) => `IPv${each.includes(':') ? 6 : 4}_address ${each}`),
        ),
      ]),
    ]),
  ]);
}

/** Multicast stays on the segment (TTL 1; RFC 4291 §2.7); each router of the segment has its own group. */
function channel({ vrid, version, source, peer }: SyncNode): string[] {
  if (peer !== undefined) {
    return [`IPv${version}_address ${source}`, `IPv${version}_Destination_Address ${peer}`, `Port ${CONNTRACKD_PORT}`];
  }
  const group =
    version === 4
      ? [`IPv4_address 239.255.37.${vrid}`, `IPv4_interface ${source}`]
      : [`IPv6_address ff02::3780:${vrid.toString(16)}`];
  return [...group, `Group ${CONNTRACKD_PORT}`];
}

/** The name says what is in it: from its arguments one sees which configuration a running conntrackd has. */
export function conntrackdConfName(text: string): string {
  return `conntrackd-${digest(text).slice(0, 12)}.conf`;
}

function listed(head: string, body: readonly string[]): string[] {
  return body.length === 0 ? [] : block(head, body);
}

function block(head: string, body: readonly string[]): string[] {
  return [`${head} {`, ...body.map((line) => `  ${line}`), '}'];
}

function lines(all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join('');
}
