import { METADATA_ADDRESS6 } from '../metadata/state.ts';
import { anchorsChain, redirectsChain } from './state.ts';

/** Port inside the appliance on which metadata requests arrive. */
export const METADATA_PORT = 9697;
/** Port of the appliance's API on its management interface. */
export const API_PORT = 5000;
/** The flowtable, and the chain that fills it; empty where the kernel has none. */
export const FLOWTABLE = 'fast';
export const offloadChain = 'fastpath';
/** Any constant; always the same, so that a source keeps its external address. */
const SHARE_SEED = '0x61737472';

export interface BaseChain {
  readonly name: string;
  /** Absent: it is jumped to. */
  readonly hook?: {
    readonly type: 'filter' | 'nat';
    readonly hook: 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';
    readonly priority: number;
    readonly policy: 'accept' | 'drop';
  };
  readonly rules: readonly string[];
}

const translate = [
  'dnat ip to ip daddr . meta l4proto . th dport map @forwarded',
  'dnat ip to ip daddr . meta l4proto . th dport map @forwarded_range',
  'dnat ip to ip daddr map @fip_in',
];

/**
 * The chains that never change. nft 1.0.6: `priority dstnat` is not accepted in an output hook. Protocols by number (1 ICMP, 2 IGMP,
 * 6 TCP, 17 UDP, 58 ICMPv6): their names are in /etc/protocols, which a minimal Debian does not have.
 */
export const baseChains: readonly BaseChain[] = [
  {
    // Before connections are tracked: what is too much costs least there.
    name: 'received',
    hook: { type: 'filter', hook: 'prerouting', priority: -300, policy: 'accept' },
    rules: ['iifname @external_if ip daddr @limit_in drop'],
  },
  {
    name: 'prerouting',
    hook: { type: 'nat', hook: 'prerouting', priority: -100, policy: 'accept' },
    rules: [
      `iifname @metadata_if ip daddr 169.254.169.254 tcp dport 80 redirect to :${METADATA_PORT}`,
      `iifname @metadata_if ip6 daddr ${METADATA_ADDRESS6} tcp dport 80 redirect to :${METADATA_PORT}`,
      `iifname @routing_if jump ${redirectsChain}`,
      ...translate,
    ],
  },
  {
    name: 'output_nat',
    hook: { type: 'nat', hook: 'output', priority: -100, policy: 'accept' },
    rules: translate,
  },
  {
    name: 'postrouting',
    hook: { type: 'nat', hook: 'postrouting', priority: 100, policy: 'accept' },
    rules: [
      // Hairpin: the answer must come back through the router.
      'iifname @internal_if oifname @internal_if ct status dnat snat ip to ip saddr map @fip_out',
      'iifname @internal_if oifname @internal_if ct status dnat masquerade',
      'iifname @internal_if oifname @external_if ip saddr . ip daddr @tunnel4 accept',
      'iifname @internal_if oifname @external_if snat ip to ip saddr map @fip_out',
      'iifname @internal_if oifname @external_if ip saddr @routed4 accept',
      `iifname @internal_if oifname @external_if meta mark set jhash ip saddr mod 64 seed ${SHARE_SEED}`,
      'iifname @internal_if snat ip to oifname . meta mark map @snat_to',
    ],
  },
  {
    // A segment must fit through both ways; the kernel never raises what the ends have said.
    name: 'clamp',
    hook: { type: 'filter', hook: 'forward', priority: -150, policy: 'accept' },
    rules: ['tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu'],
  },
  {
    // What belongs into a tunnel must not leave without one while there is none; what is established neither.
    name: 'sealed',
    rules: [
      'ip saddr . ip daddr @tunnel4 rt ipsec missing drop',
      'ip6 saddr . ip6 daddr @tunnel6 rt ipsec missing drop',
    ],
  },
  {
    name: 'forward',
    hook: { type: 'filter', hook: 'forward', priority: 0, policy: 'drop' },
    rules: [
      'iifname != @routing_if drop',
      'oifname != @routing_if drop',
      'oifname @sealed_if jump sealed',
      `ct state established jump ${offloadChain}`,
      'ct state vmap { established : accept, related : accept, invalid : drop }',
      'iifname @service_if iifname . ip saddr != @source4 drop',
      'iifname @service_if iifname . ip6 saddr != @source6 drop',
      'iifname vmap @group_egress',
      'oifname vmap @group_ingress',
      `jump ${anchorsChain}`,
      'iifname @internal_if oifname @internal_if accept',
      'iifname @internal_if oifname @external_if accept',
      'iifname @external_if oifname @internal_if ct status dnat accept',
      'iifname @external_if oifname @internal_if ip daddr @routed4 accept',
      'iifname @external_if oifname @internal_if ip6 daddr @routed6 accept',
      'iifname @internal_if oifname @tunnel_if accept',
      'iifname @tunnel_if oifname @internal_if accept',
      // Decrypted by the kernel.
      'iifname @external_if oifname @internal_if ipsec in reqid != 0 accept',
    ],
  },
  {
    // Behind the filter: what it let through.
    name: 'account',
    hook: { type: 'filter', hook: 'forward', priority: 10, policy: 'accept' },
    rules: [
      'iifname @external_if counter name ip saddr map @label_in4',
      'iifname @external_if counter name ip6 saddr map @label_in6',
      'oifname @external_if counter name ip daddr map @label_out4',
      'oifname @external_if counter name ip6 daddr map @label_out6',
      'iifname @external_if ct direction original ct status dnat update @fip_received { ct original ip daddr counter }',
      'iifname @external_if ct direction reply ct status snat update @fip_received { ct reply ip daddr counter }',
    ],
  },
  {
    // Behind the translation of sources.
    name: 'sent',
    hook: { type: 'filter', hook: 'postrouting', priority: 300, policy: 'accept' },
    rules: [
      'oifname @external_if ip saddr @limit_out drop',
      'oifname @external_if ct direction reply ct status dnat update @fip_sent { ct original ip daddr counter }',
      'oifname @external_if ct direction original ct status snat update @fip_sent { ct reply ip daddr counter }',
    ],
  },
  {
    name: 'input',
    hook: { type: 'filter', hook: 'input', priority: 0, policy: 'drop' },
    rules: [
      'iifname "lo" accept',
      'iifname != @management_if ip daddr @management4 drop',
      'iifname != @management_if ip6 daddr @management6 drop',
      'ct state vmap { established : accept, related : accept, invalid : drop }',
      // Of hosts that have no address yet.
      'iifname @service_if udp dport { 67, 547 } accept',
      'iifname @known_if ip6 hoplimit 255 icmpv6 type { 133, 134, 135, 136 } accept',
      'iifname @known_if icmpv6 type { 130, 131, 132, 143 } accept',
      'iifname @service_if iifname . ip saddr != @source4 drop',
      'iifname @service_if iifname . ip6 saddr != @source6 drop',
      // IGMP: switches ask who listens to a group.
      'iifname @known_if meta l4proto { 1, 2, 58 } accept',
      'iifname @service_if udp dport 53 accept',
      'iifname @service_if tcp dport 53 accept',
      `iifname @metadata_if tcp dport ${METADATA_PORT} ct status dnat accept`,
      `iifname @management_if tcp dport { 22, ${API_PORT} } accept`,
      'iifname . ip saddr . meta l4proto . th dport @open4 accept',
      'iifname . ip6 saddr . meta l4proto . th dport @open6 accept',
      'iifname . ip saddr . meta l4proto @open_protocol4 accept',
      'iifname . ip6 saddr . meta l4proto @open_protocol6 accept',
    ],
  },
  {
    name: 'output',
    hook: { type: 'filter', hook: 'output', priority: 0, policy: 'drop' },
    rules: ['oifname "lo" accept', 'oifname @known_if accept'],
  },
];

/** Of the chain {@link offloadChain}, when there is a flowtable. Addresses with a rate limit stay on the slow path. */
export const offloadRules: readonly string[] = [
  'ct original ip daddr @limited return',
  'ct reply ip daddr @limited return',
  `meta l4proto { 6, 17 } flow add @${FLOWTABLE}`,
];
