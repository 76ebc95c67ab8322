import type { HostRecord, Network } from '@astara/model/appliance/network.ts';
import fc from 'fast-check';

/** What a network may have besides, for the DNS and DHCP of {@link ./arbitrary.ts}; `index` as there. */

const label = fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9-]{0,10}[A-Za-z0-9])?$/);
const name = fc
  .tuple(fc.array(label, { minLength: 1, maxLength: 3 }), fc.constantFrom('', '.'))
  .map(([labels, end]) => labels.join('.') + end);

export function hostRecords(index: number): fc.Arbitrary<HostRecord[]> {
  const address = fc
    .tuple(fc.integer({ min: 2, max: 250 }), fc.boolean())
    .map(([host, six]) => (six ? `fd0${index}::${host.toString(16)}` : `10.${index}.0.${host}`));
  const addresses = fc.uniqueArray(address, { minLength: 1, maxLength: 3 });
  return fc.array(fc.record({ name, addresses }), { maxLength: 4 });
}

/** The same network with more for its DNS. */
export function withDns(network: Network, index: number): fc.Arbitrary<Network> {
  return fc
    .record(
      {
        host_records: hostRecords(index),
        dns_forwarders: fc.array(fc.constantFrom('192.0.2.1', '2001:db8::1'), { maxLength: 3 }),
        dns_visibility: fc.constantFrom('network' as const, 'appliance' as const),
      },
      { requiredKeys: [] },
    )
    .map((more) => ({ ...network, ...more }));
}
