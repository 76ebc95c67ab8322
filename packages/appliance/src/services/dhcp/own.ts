import type { Network } from '@astara/model/appliance/network.ts';
import { contains, parseCidr } from '@astara/model/ip.ts';
import { type Ip, ip } from '../../values.ts';

/** The appliance's own addresses on a network: whom clients are told to ask. */

export function ownAddresses(network: Network): Ip[] {
  return network.interface.addresses.flatMap((cidr) => {
    const parsed = parseCidr(cidr);
    return parsed === undefined ? [] : [ip(parsed.address, 'addresses')];
  });
}

export function ownAddressIn(network: Network, cidr: string): Ip | undefined {
  return ownAddresses(network).find((address) => contains(cidr, address));
}

export function ownAddress(network: Network, version: 4 | 6): Ip | undefined {
  return ownAddresses(network).find((address) => address.includes(':') === (version === 6));
}
