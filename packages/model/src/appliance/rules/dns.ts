import type { ApplianceConfig } from '../config.ts';
import type { Network } from '../network.ts';
import { checkAddress, type Fail } from './fail.ts';

/** RFC 1035 §2.3.4, as text without the dot at its end. */
const LONGEST_NAME = 253;

export function checkDns(config: ApplianceConfig, fail: Fail): void {
  const own = new Set(
    config.networks.flatMap(({ interface: { addresses } }) => addresses.map((cidr) => cidr.replace(/\/.*/, ''))),
  );
  checkForwarders(config.dns_forwarders, own, '/dns_forwarders', fail);
  config.networks.forEach((network, index) => {
    checkForwarders(network.dns_forwarders, own, `/networks/${index}/dns_forwarders`, fail);
    checkHostRecords(network, `/networks/${index}`, fail);
  });
}

function checkForwarders(
  forwarders: readonly string[] | undefined,
  own: ReadonlySet<string>,
  field: string,
  fail: Fail,
): void {
  forwarders?.forEach((address, index) => {
    const valid = checkAddress(address, `${field}/${index}`, undefined, fail);
    if (valid && own.has(address)) fail(`${field}/${index}`, 'is the appliance itself: queries would come back');
  });
}

function checkHostRecords(network: Network, field: string, fail: Fail): void {
  const domain = (network.dns_domain ?? 'openstacklocal').replace(/\.$/, '');
  network.host_records?.forEach(({ name, addresses }, index) => {
    const place = `${field}/host_records/${index}`;
    if (!name.endsWith('.') && name.length + 1 + domain.length > LONGEST_NAME) {
      fail(`${place}/name`, `with the domain ${domain} has more than ${LONGEST_NAME} characters`);
    }
    addresses.forEach((address, position) => {
      checkAddress(address, `${place}/addresses/${position}`, undefined, fail);
    });
  });
}
