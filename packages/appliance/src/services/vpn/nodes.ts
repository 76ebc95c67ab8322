import type { Secret } from '@astara/config/secret.ts';
import type { Ip, Prefix } from '../../values.ts';
import type { ConnectionName, IkeId } from './values.ts';

/** What charon is told, before it is a message or text. */
export interface VpnNode {
  readonly charon: CharonNode;
  readonly connections: ReadonlyMap<ConnectionName, ConnectionNode>;
}

/** Of the daemon as a whole. */
export interface CharonNode {
  /** Bytes; of the routes into tunnels. Only read when it starts. */
  readonly mtu: number | undefined;
  /** `first`: seconds; each waits `base` times as long as the one before. */
  readonly retransmission: { readonly first: number; readonly base: number; readonly tries: number };
  /** Whether somebody insists on aggressive mode with a pre-shared key. */
  readonly aggressivePsk: boolean;
}

export interface ConnectionNode {
  readonly name: ConnectionName;
  readonly id: string;
  readonly version: 1 | 2;
  readonly aggressive: boolean;
  readonly local: Ip;
  /** Undefined: whoever calls. */
  readonly remote: Ip | undefined;
  /** Undefined: the subject of the certificate. */
  readonly localId: IkeId | undefined;
  readonly remoteId: IkeId;
  readonly proof: ProofNode;
  /** In strongSwan's words, made of fixed ones in {@link ./proposals.ts}. */
  readonly proposal: string;
  /** Seconds. */
  readonly lifetime: number;
  /** Seconds; undefined: nobody looks whether the peer lives. */
  readonly dpd: { readonly delay: number; readonly timeout: number } | undefined;
  readonly tunnels: readonly TunnelNode[];
}

export type ProofNode =
  | { readonly kind: 'psk'; readonly psk: Secret }
  | {
      readonly kind: 'certificate';
      /** DER. */
      readonly certificate: Buffer;
      /** PKCS #8, DER. */
      readonly key: Secret;
      readonly keyType: 'rsa' | 'ecdsa' | 'eddsa';
      /** DER; one of these has signed the peer's. */
      readonly authorities: readonly Buffer[];
    };

/** One CHILD_SA. */
export interface TunnelNode {
  readonly name: string;
  /**
   * Ties its policies to its keys. charon 5.9.8, left to itself, gives two tunnels the same one when both are made again after a
   * dead peer, and sends the traffic of one through the other. Undefined for tunnels to any peer, of which there may be many.
   */
  readonly reqid: number | undefined;
  readonly local: readonly Prefix[];
  readonly remote: readonly Prefix[];
  readonly protocol: 'esp' | 'ah';
  readonly mode: 'tunnel' | 'transport';
  readonly proposal: string;
  /** Seconds. */
  readonly lifetime: number;
  /** Whether it is made without being asked for. */
  readonly start: boolean;
  /** When the peer does not answer any more, and when it ends the tunnel. */
  readonly lost: Lost;
  readonly closed: Lost;
}

/** `hold`: made again when there is something to send. */
export type Lost = 'clear' | 'hold' | 'restart';
