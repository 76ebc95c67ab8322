import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Ha } from '@astara/model/appliance/ha.ts';
import { validateConfig } from '@astara/model/appliance/rules.ts';
import fc from 'fast-check';
import { anyConfig } from './arbitrary.ts';
import { network } from './configs.ts';

/** What the API may let in of several members: laid over an {@link anyConfig}. */

const host = fc.integer({ min: 2, max: 250 });
const peers4 = host.map((n) => `172.31.0.${n}`);
const peers6 = host.map((n) => `FD31:0::${n.toString(16)}`);
const several = (peer: fc.Arbitrary<string>, minLength: number) => fc.uniqueArray(peer, { minLength, maxLength: 3 });

const meeting = fc.constantFrom<{ addresses: string[]; peers: fc.Arbitrary<string[]> }>(
  { addresses: ['172.31.0.1/24'], peers: several(peers4, 0) },
  { addresses: ['FD31::1/64'], peers: several(peers6, 0) },
  { addresses: ['172.31.0.1/24', 'fd31::1/64'], peers: several(fc.constantFrom('172.31.0.9', 'fd31::9'), 2) },
  { addresses: ['fe80::77/64', 'fd31::1/64', '172.31.0.1/24'], peers: several(peers4, 1) },
);

const options: fc.Arbitrary<Pick<Ha, 'vrid' | 'priority'> & Partial<Ha>> = fc.record(
  {
    vrid: fc.integer({ min: 1, max: 255 }),
    priority: fc.integer({ min: 1, max: 254 }),
    advert_interval_ms: fc.integer({ min: 1, max: 4_095 }).map((centiseconds) => centiseconds * 10),
    nopreempt: fc.boolean(),
    conntrack_sync: fc.boolean(),
  },
  { requiredKeys: ['vrid', 'priority'] },
);

const names = fc.constantFrom('ha0', 'ha-tap.0_1', 'A234567890.-_45');

export const haConfig: fc.Arbitrary<ApplianceConfig> = fc
  .tuple(anyConfig, options, names, fc.constantFrom('management' as const, 'isolated' as const), meeting)
  .chain(([base, more, ifname, type, { addresses, peers }]) =>
    peers.map((all) => ({
      ...base,
      networks: [
        ...base.networks.map((each) => ({
          ...each,
          v4_conf_service: 'static' as const,
          v6_conf_service: 'static' as const,
        })),
        network(type, ifname, addresses),
      ],
      ha: { ...more, interface: ifname, peers: all },
    })),
  )
  .filter((config) => validateConfig(config).ok);
