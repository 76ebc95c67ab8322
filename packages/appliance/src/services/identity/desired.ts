import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { dnsName, ip, printable } from '../../values.ts';
import { type IdentityNode, timeZone } from './nodes.ts';

export function desiredIdentity({ hostname, identity = {} }: ApplianceConfig): IdentityNode {
  const { time_zone, authorized_keys, nameservers, search_domains } = identity;
  const asked = nameservers !== undefined || search_domains !== undefined;
  return Object.freeze({
    hostname: dnsName(hostname, '/hostname'),
    timeZone: time_zone === undefined ? undefined : timeZone(time_zone, '/identity/time_zone'),
    authorizedKeys: authorized_keys?.map((key, index) => printable(key, `/identity/authorized_keys/${index}`)),
    resolver: asked
      ? Object.freeze({
          nameservers: (nameservers ?? []).map((address, index) => ip(address, `/identity/nameservers/${index}`)),
          searchDomains: (search_domains ?? []).map((name, index) =>
            dnsName(name, `/identity/search_domains/${index}`),
          ),
        })
      : undefined,
  });
}
