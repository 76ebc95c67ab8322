import type { RequestOptions } from 'node:http';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Network } from '@astara/model/appliance/network.ts';
import { parseCidr } from '@astara/model/ip.ts';
import { ip, mac } from '../../values.ts';
import { RATE_OF_CLIENT } from './limits.ts';

/** As long as Nova itself keeps what it knows of an instance (`[api] metadata_cache_expiration`). */
const CACHE_SECONDS = 15;

/** Nova's for IPv6: nobody has it, but the appliance answers neighbour solicitations for it. */
export const METADATA_ADDRESS6 = 'fe80::a9fe:a9fe';

/** Where requests go, and who may ask. */
export interface MetadataState {
  readonly endpoint: Endpoint;
  /** 0: every request is passed on. */
  readonly cacheSeconds: number;
  /** Of one client. */
  readonly requestsPerSecond: number;
  /** Source address → the ports that have it: more than one only when networks overlap. */
  readonly clients: ReadonlyMap<string, readonly MetadataClient[]>;
  /** Interface and MAC → the port: who asks over IPv6 has a link-local address. Of networks with IPv6. */
  readonly ports: ReadonlyMap<string, MetadataClient>;
}

export type Endpoint = Pick<RequestOptions, 'socketPath' | 'host' | 'port'>;

export interface MetadataClient {
  readonly instanceId: string;
  readonly tenantId: string;
  /** Addresses of the appliance in the client's network: where its requests come in. */
  readonly arrivesAt: ReadonlySet<string>;
}

export function desiredMetadata(config: ApplianceConfig): MetadataState | undefined {
  if (config.metadata === undefined) return undefined;
  const clients = new Map<string, MetadataClient[]>();
  const ports = new Map<string, MetadataClient>();
  config.networks.forEach((network, index) => {
    if (network.network_type !== 'internal' && network.network_type !== 'isolated') return;
    const arrivesAt = ownAddresses(network);
    const { ifname } = network.interface;
    const v6 = network.subnets.some(({ cidr }) => cidr.includes(':'));
    network.allocations.forEach((allocation, position) => {
      if (allocation.device_id === '') return;
      const client = {
        instanceId: allocation.device_id,
        tenantId: allocation.tenant_id ?? config.tenant_id,
        arrivesAt,
      };
      const field = `/networks/${index}/allocations/${position}`;
      if (v6) ports.set(`${ifname} ${mac(allocation.mac_address, `${field}/mac_address`)}`, client);
      for (const text of Object.keys(allocation.ip_addresses)) {
        const address = ip(text, `${field}/ip_addresses`);
        clients.set(address, [...(clients.get(address) ?? []), client]);
      }
    });
  });
  const { endpoint, cache_seconds = CACHE_SECONDS, requests_per_second = RATE_OF_CLIENT } = config.metadata;
  return Object.freeze({
    endpoint: parseEndpoint(endpoint),
    cacheSeconds: cache_seconds,
    requestsPerSecond: requests_per_second,
    clients,
    ports,
  });
}

/** Who asks; undefined when nobody we know has this address. */
export function findClient(state: MetadataState, source: string, arrivedAt: string): MetadataClient | undefined {
  if (source.includes('%')) return neighbour(state, source);
  const candidates = state.clients.get(source) ?? [];
  return candidates.find((client) => client.arrivesAt.has(arrivedAt)) ?? candidates.at(-1);
}

/**
 * RFC 4291 appendix A: a link-local address is made of the MAC. Neutron's port security lets a port send from no other, so it is
 * as good a proof as an address of Neutron's.
 */
function neighbour({ ports }: MetadataState, source: string): MetadataClient | undefined {
  const [address = '', ifname = ''] = source.split('%');
  const groups = address.replace(/^fe80::/, '').split(':');
  if (groups.length > 4) return undefined;
  const id = groups
    .map((group) => group.padStart(4, '0'))
    .join('')
    .padStart(16, '0');
  if (id.slice(6, 10) !== 'fffe') return undefined;
  const first = (Number.parseInt(id.slice(0, 2), 16) ^ 2).toString(16).padStart(2, '0');
  const bytes = [first, id.slice(2, 4), id.slice(4, 6), id.slice(10, 12), id.slice(12, 14), id.slice(14)];
  return ports.get(`${ifname} ${bytes.join(':')}`);
}

function parseEndpoint(text: string): Endpoint {
  if (text.startsWith('unix:')) return { socketPath: text.slice('unix:'.length) };
  const url = new URL(text);
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port === '' ? 80 : Number(url.port) };
}

function ownAddresses(network: Network): ReadonlySet<string> {
  return new Set(
    network.interface.addresses.flatMap((cidr) => {
      const parsed = parseCidr(cidr);
      return parsed === undefined ? [] : [ip(parsed.address, 'addresses')];
    }),
  );
}
