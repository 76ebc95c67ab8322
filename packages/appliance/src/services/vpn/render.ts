import type { CharonNode, ConnectionNode, Lost, TunnelNode } from './nodes.ts';
import type { ViciSection } from './vici-message.ts';

/** Who encrypts: the kernel, or charon itself where the kernel has no ESP. */
export type Ipsec = 'kernel' | 'userspace';

/** Paths as charon sees them. */
export interface CharonPaths {
  readonly socket: string;
  readonly log: string;
  readonly timers: string;
}

/**
 * In the order in which they are asked for an algorithm. `updown` (runs a script), `revocation` (fetches what a certificate
 * names) and `resolve` (writes /etc/resolv.conf) are left out on purpose.
 */
const plugins =
  'random nonce openssl x509 pubkey pkcs1 pkcs8 pem sha1 sha2 aes hmac kdf gcm cmac xcbc constraints socket-default';

/**
 * On the packets that charon itself sends, so that its routes into tunnels are not theirs: a peer's subnets may hold the peer.
 */
const MARK = '0x76706e';

/** strongswan.conf(5): what charon reads when it starts. */
export function renderCharon({ mtu }: CharonNode, ipsec: Ipsec, paths: CharonPaths): string {
  // Both install routes and addresses through netlink; the first to say that it can do IPsec does it.
  const [kernel, sent, routed] =
    ipsec === 'kernel'
      ? ['kernel-netlink', '', '']
      : ['kernel-libipsec kernel-netlink', `fwmark = ${MARK}`, `fwmark = !${MARK}`];
  return `charon {
  load_modular = no
  load = ${plugins} ${kernel} vici
  install_virtual_ip = no
  plugins {
    vici {
      socket = "unix://${path(paths.socket)}"
    }
    kernel-libipsec {
      allow_peer_ts = yes
    }
    kernel-netlink {
      mtu = ${mtu ?? 0}
      ${routed}
    }
    socket-default {
      ${sent}
    }
  }
  filelog {
    start {
      path = "${path(paths.log)}"
      append = no
      flush_line = yes
      default = -1
      dmn = 1
      lib = 1
    }
  }
}
charon-systemd {
  journal {
    default = -1
  }
}
include ${path(paths.timers)}
`;
}

/** The same, for what may change while it runs. */
export function renderTimers({ retransmission, aggressivePsk }: CharonNode): string {
  return `charon {
  retransmit_timeout = ${retransmission.first}
  retransmit_base = ${retransmission.base}
  retransmit_tries = ${retransmission.tries}
  i_dont_care_about_security_and_use_aggressive_mode_psk = ${yes(aggressivePsk)}
}
`;
}

/** The message of `load-conn`. */
export function renderConnection(node: ConnectionNode, ipsec: Ipsec): ViciSection {
  const { proof, dpd } = node;
  const auth = proof.kind === 'psk' ? { auth: 'psk' } : { auth: 'pubkey' };
  const certs = proof.kind === 'psk' ? undefined : [proof.certificate];
  const cacerts = proof.kind === 'psk' ? undefined : proof.authorities;
  return {
    [node.name]: {
      version: String(node.version),
      aggressive: yes(node.aggressive),
      local_addrs: [node.local],
      remote_addrs: [node.remote ?? '%any'],
      proposals: [node.proposal],
      mobike: 'no',
      // A peer that comes again has forgotten what was before.
      unique: 'replace',
      keyingtries: '0',
      ...life('rekey_time', 'over_time', node.lifetime),
      dpd_delay: dpd === undefined ? '0' : `${dpd.delay}s`,
      dpd_timeout: dpd === undefined ? undefined : `${dpd.timeout}s`,
      local: { ...auth, id: node.localId, certs },
      remote: { ...auth, id: node.remoteId, cacerts },
      children: Object.fromEntries(node.tunnels.map((tunnel) => [tunnel.name, child(tunnel, ipsec)])),
    },
  };
}

function child(tunnel: TunnelNode, ipsec: Ipsec): ViciSection {
  // Without policies in the kernel nobody notices that there is something to send.
  const action = (lost: Lost) => (lost === 'hold' ? (ipsec === 'kernel' ? 'trap' : 'start') : actions[lost]);
  const start = ipsec === 'kernel' ? 'trap|start' : 'start';
  return {
    local_ts: tunnel.local,
    remote_ts: tunnel.remote,
    [tunnel.protocol === 'esp' ? 'esp_proposals' : 'ah_proposals']: [tunnel.proposal],
    mode: tunnel.mode,
    reqid: tunnel.reqid === undefined ? undefined : String(tunnel.reqid),
    ...life('rekey_time', 'rand_time', tunnel.lifetime),
    life_time: `${tunnel.lifetime}s`,
    start_action: tunnel.start ? start : 'none',
    dpd_action: action(tunnel.lost),
    close_action: action(tunnel.closed),
  };
}

const actions = { clear: 'none', restart: 'start' } as const;

/** Keys are made anew when nine tenths of their life are over, and a little before, so that not all are at once. */
function life(rekey: string, rest: string, lifetime: number): ViciSection {
  const last = Math.ceil(lifetime / 10);
  return { [rekey]: `${lifetime - last}s`, [rest]: `${last}s` };
}

/** The message of `load-shared`; undefined for a connection with certificates. */
export function renderPsk(node: ConnectionNode): ViciSection | undefined {
  if (node.proof.kind !== 'psk') return undefined;
  const owners = [node.localId ?? node.local, node.remoteId];
  return { id: node.id, type: 'IKE', data: Buffer.from(node.proof.psk.reveal()), owners };
}

/** The message of `load-key`; undefined for a connection with a pre-shared key. */
export function renderKey(node: ConnectionNode): ViciSection | undefined {
  if (node.proof.kind !== 'certificate') return undefined;
  return {
    type: node.proof.keyType === 'eddsa' ? 'any' : node.proof.keyType,
    data: Buffer.from(node.proof.key.reveal()),
  };
}

function yes(value: boolean): string {
  return value ? 'yes' : 'no';
}

function path(text: string): string {
  if (!/^\/[\w./+-]+$/.test(text))
    throw new RangeError(`a path that strongswan.conf cannot say: ${JSON.stringify(text)}`);
  return text;
}
