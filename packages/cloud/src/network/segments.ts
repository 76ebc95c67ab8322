import { Fault, invalidInput } from '../api/fault.ts';
import type { NetworkRow } from '../store/rows.ts';
import { type Store, segmentKey } from '../store/store.ts';

type Segment = Pick<NetworkRow, 'network_type' | 'physical_network' | 'segmentation_id'>;

interface SegmentType {
  /** Largest frame of a network of the type, in bytes of IP. */
  readonly mtu: number;
  /** Whether it lies on a physical network, which must be named. */
  readonly physical: boolean;
  /** Ids that it may have; absent: it has none. */
  readonly ids?: { readonly least: number; readonly most: number };
  readonly label: string;
}

const types: Readonly<Record<string, SegmentType>> = {
  flat: { mtu: 1500, physical: true, label: 'flat' },
  vlan: { mtu: 1500, physical: true, ids: { least: 1, most: 4094 }, label: 'VLAN' },
  vxlan: { mtu: 1450, physical: false, ids: { least: 1, most: 2 ** 24 - 1 }, label: 'vxlan' },
};

const tenantType = 'vxlan';

export const maximumMtu = (networkType: string) => types[networkType]?.mtu ?? 1500;

/** The segment of a new network: what is asked for, or a free one. */
export function chooseSegment(
  store: Store,
  type: string | undefined,
  physical: string | null,
  id: number | null,
): Segment {
  if (type === undefined && (physical !== null || id !== null)) throw invalidInput('network_type required');
  const network_type = type ?? tenantType;
  const known = Object.hasOwn(types, network_type) ? types[network_type] : undefined;
  if (known === undefined) throw invalidInput(`network_type value '${network_type}' not supported`);
  checkPhysical(known, physical);
  checkId(known, id);
  const segment = { network_type, physical_network: physical, segmentation_id: id };
  if (known.ids !== undefined && id === null) return freeSegment(store, segment, known.ids);
  if (isUsed(store, segment)) throw inUse(segment);
  return segment;
}

function checkPhysical({ physical: needed, label }: SegmentType, physical: string | null): void {
  if (needed && (physical === null || physical === '')) {
    throw invalidInput(`physical_network required for ${label} provider network`);
  }
  if (!needed && physical !== null) throw invalidInput(`provider:physical_network specified for ${label} network`);
}

function checkId({ ids, label }: SegmentType, id: number | null): void {
  if (id === null) return;
  if (ids === undefined) throw invalidInput(`segmentation_id prohibited for ${label} provider network`);
  if (id < ids.least || id > ids.most) {
    throw invalidInput(`segmentation_id out of range (${ids.least} through ${ids.most})`);
  }
}

const isUsed = (store: Store, segment: Segment) => store.networks.count('segment', segmentKey(segment)) > 0;

/** Behind the one that was given last, so that it is found at once however many there are. Only a hint. */
const hints = new WeakMap<Store, Map<string, number>>();

function freeSegment(store: Store, segment: Segment, { least, most }: { least: number; most: number }): Segment {
  const hint = hints.get(store) ?? new Map<string, number>();
  hints.set(store, hint);
  const where = `${segment.network_type} ${segment.physical_network ?? ''}`;
  const size = most - least + 1;
  const from = (hint.get(where) ?? least) - least;
  for (let step = 0; step < size; step += 1) {
    const id = least + ((from + step) % size);
    const found = { ...segment, segmentation_id: id };
    if (isUsed(store, found)) continue;
    hint.set(where, id + 1);
    return found;
  }
  const message = 'Unable to create the network. No tenant network is available for allocation.';
  throw new Fault(503, 'NoNetworkAvailable', message);
}

function inUse({ network_type, physical_network, segmentation_id }: Segment): Fault {
  switch (network_type) {
    case 'flat': {
      const message = `Unable to create the flat network. Physical network ${physical_network} is in use.`;
      return new Fault(409, 'FlatNetworkInUse', message);
    }
    case 'vlan': {
      const message = `Unable to create the network. The VLAN ${segmentation_id} on physical network ${physical_network} is in use.`;
      return new Fault(409, 'VlanIdInUse', message);
    }
    default: {
      const message = `Unable to create the network. The tunnel ID ${segmentation_id} is in use.`;
      return new Fault(409, 'TunnelIdInUse', message);
    }
  }
}
