import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { BgpNeighbor, RouterAdvertisement } from '@astara/model/appliance/routing.ts';
import { validateConfig } from '@astara/model/appliance/rules.ts';
import fc from 'fast-check';
import { anyConfig } from './arbitrary.ts';

/** What the API may let in of BGP, BFD and router advertisements: to be laid over an {@link anyConfig}. */

const asn = fc.oneof(fc.integer({ min: 1, max: 70_000 }), fc.integer({ min: 1, max: 4_294_967_295 }));
const octet = fc.integer({ min: 2, max: 250 });
const prefix4 = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })).map(([address, length]) => `${address}/${length}`);
const prefix6 = fc
  .tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 }))
  .map(([address, length]) => `${address}/${length}`);
/** Everything a password may be: printable, but for the double quote. */
const password = fc.oneof(
  fc.string({
    unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => (code === 0x22 ? "'" : String.fromCharCode(code))),
    minLength: 1,
    maxLength: 80,
  }),
  fc.constantFrom('; } protocol bgp x {', '\\', '/*', '#', '$(x)', '%s%n', ' '),
);
const community = fc.oneof(
  fc.tuple(fc.integer({ min: 0, max: 65_535 }), fc.integer({ min: 0, max: 65_535 })).map((parts) => parts.join(':')),
  fc.array(fc.integer({ min: 0, max: 4_294_967_295 }), { minLength: 3, maxLength: 3 }).map((parts) => parts.join(':')),
);

function neighbor(version: 4 | 6): fc.Arbitrary<BgpNeighbor> {
  const address =
    version === 4
      ? fc.oneof(
          fc.tuple(fc.integer({ min: 1, max: 4 }), octet).map(([net, host]) => `10.${net}.0.${host}`),
          octet.map((host) => `192.0.2.${host}`),
        )
      : fc.oneof(
          fc.tuple(fc.integer({ min: 1, max: 4 }), octet).map(([net, host]) => `FD0${net}::${host.toString(16)}`),
          octet.map((host) => `fe80::${host.toString(16)}`),
          fc.constant('fe80:0:0::ABCD:ef01:2345:6789'),
        );
  const prefixes = fc.array(version === 4 ? prefix4 : prefix6, { maxLength: 4 });
  return fc.record(
    {
      address,
      interface: fc.integer({ min: 1, max: 4 }).map((index) => `qr-${index}`),
      asn,
      password,
      multihop: fc.integer({ min: 1, max: 255 }),
      passive: fc.boolean(),
      bfd: fc.boolean(),
      hold_time: fc.constantFrom(3, 90, 65_535),
      export: fc.record(
        {
          floating_ips: fc.boolean(),
          tenant_subnets: fc.boolean(),
          prefixes,
          communities: fc.array(community, { maxLength: 3 }),
        },
        { requiredKeys: [] },
      ),
      import: fc.record(
        { default_route: fc.boolean(), prefixes, max_prefixes: fc.integer({ min: 1, max: 1_000_000 }) },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: ['address', 'asn'] },
  );
}

export const anyBgp = fc.record(
  {
    asn,
    router_id: fc.ipV4().filter((address) => address !== '0.0.0.0'),
    neighbors: fc.uniqueArray(fc.oneof(neighbor(4), neighbor(6)), {
      selector: ({ address }) => address.toLowerCase(),
      maxLength: 5,
    }),
    maximum_paths: fc.integer({ min: 1, max: 64 }),
  },
  { requiredKeys: ['asn', 'neighbors'] },
);

export const anyBfd = fc.record(
  {
    min_rx_ms: fc.integer({ min: 10, max: 60_000 }),
    min_tx_ms: fc.integer({ min: 10, max: 60_000 }),
    multiplier: fc.integer({ min: 2, max: 255 }),
  },
  { requiredKeys: [] },
);

export const anyRouterAdvertisement: fc.Arbitrary<RouterAdvertisement> = fc.record(
  {
    router_lifetime: fc.integer({ min: 0, max: 9000 }),
    preference: fc.constantFrom('low', 'medium', 'high'),
    max_interval: fc.integer({ min: 4, max: 1800 }),
    valid_lifetime: fc.constantFrom(0, 7200, 86_400, 4_294_967_295),
    preferred_lifetime: fc.constantFrom(0, 3600, 4_294_967_295),
    search_domains: fc.array(fc.constantFrom('example.org', 'A.b-C.', 'x'), { maxLength: 8 }),
  },
  { requiredKeys: [] },
);

/** A configuration with routing; neighbours that fit nothing of it are left out. */
export const anyRoutedConfig: fc.Arbitrary<ApplianceConfig> = fc
  .record({
    config: anyConfig,
    bgp: fc.option(anyBgp, { nil: undefined, freq: 8 }),
    bfd: fc.option(anyBfd, { nil: undefined }),
    advertisements: fc.array(fc.option(anyRouterAdvertisement, { nil: undefined }), { minLength: 4, maxLength: 4 }),
  })
  .map(({ config, bgp, bfd, advertisements }) => {
    const networks = config.networks.map((network, index) => {
      const ra = advertisements[index];
      const advertised = { ...network, ...(ra === undefined ? {} : { router_advertisement: ra }) };
      return validateConfig({ ...config, networks: [advertised] }).ok ? advertised : network;
    });
    const whole = { ...config, networks, ...(bfd === undefined ? {} : { bfd }) };
    if (bgp === undefined) return whole;
    const fits = (one: BgpNeighbor) => validateConfig({ ...whole, bgp: { ...bgp, neighbors: [one] } }).ok;
    const mended = bgp.neighbors.map((one) => {
      const { interface: _, ...without } = one;
      return fits(one) ? one : without;
    });
    return { ...whole, bgp: { ...bgp, neighbors: mended.filter(fits) } };
  })
  .filter((config) => validateConfig(config).ok);
