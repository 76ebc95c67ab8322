import type { ServedNetworks } from '../neutron/dhcp-ready.ts';
import type { Stamp } from '../neutron/mirror/guarded.ts';
import type { Desired } from './driver.ts';

/** What a driver remembers of what it built, on the object itself: spread copies keep it. */
export interface Built extends Desired {
  /** The mirror's clock when it was read. */
  readonly stamp: Stamp;
  /** The ports that DHCP is served for. */
  readonly served: ServedNetworks;
  readonly floatingIps: readonly string[];
}

export function isBuilt(desired: Desired): desired is Built {
  return 'stamp' in desired && 'served' in desired && 'floatingIps' in desired;
}

/** What all appliances of this host have in common. */
export interface ApplianceDefaults {
  /** How ports are plugged whose binding does not say. */
  readonly plug: 'bridge' | 'ovs';
  /** Where metadata requests go (`unix:/run/astara/metadata.sock`); undefined: nowhere. */
  readonly metadataEndpoint: string | undefined;
  readonly dnsForwarders: readonly string[];
  readonly dnsDomain: string;
  /** Seconds. */
  readonly leaseDuration: number;
}
