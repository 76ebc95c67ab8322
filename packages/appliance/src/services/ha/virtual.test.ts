import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { expect, test } from 'vitest';
import { config, network } from '../../testing/configs.ts';
import { sharedInterfaces, virtualAddresses } from './virtual.ts';

const ha = { vrid: 7, priority: 100, interface: 'ha0', peers: [] };

function router(more: Partial<ApplianceConfig> = {}): ApplianceConfig {
  return config(
    [
      network('management', 'mgt0', ['172.16.0.5/24']),
      network('isolated', 'ha0', ['192.168.7.1/24']),
      network('external', 'ext0', ['198.51.100.2/24', '2001:DB8:0::2/64']),
      network('internal', 'int0', ['10.0.0.1/24']),
    ],
    { floating_ips: [{ floating_ip: '198.51.100.9', fixed_ip: '10.0.0.9' }], ...more },
  );
}

test('Without ha nothing is virtual', () => {
  expect(virtualAddresses(router())).toEqual([]);
  expect(sharedInterfaces(router()).size).toBe(0);
});

test('What clients know moves; what members know each other by stays', () => {
  const cidrs = virtualAddresses(router({ ha })).map(({ ifname, cidr }) => `${ifname} ${cidr}`);
  expect(cidrs).toEqual([
    expect.stringMatching(/^ext0 fe80::[0-9a-f:]+\/64$/),
    'ext0 198.51.100.2/24',
    'ext0 2001:db8::2/64',
    'int0 10.0.0.1/24',
    'ext0 198.51.100.9/32',
    'ha0 169.254.0.7/32',
    'ha0 fe80::a57a:7/128',
  ]);
  expect([...sharedInterfaces(router({ ha }))]).toEqual(['ext0', 'int0']);
});

test('The link-local address is the same in all members, and another for another router on the network', () => {
  const linkLocal = (first: string, host: string) =>
    virtualAddresses(config([network('internal', 'int0', [first])], { ha, hostname: host })).map(({ cidr }) => cidr)[0];
  expect(linkLocal('fd00::1/64', 'a')).toBe(linkLocal('FD00:0::1/64', 'b'));
  expect(linkLocal('fd00::1/64', 'a')).not.toBe(linkLocal('fd00::2/64', 'a'));
});

test('An address of its own of fe80::/10 is taken instead', () => {
  const addresses = ['fd00::1/64', 'fe80::1/64'];
  const all = virtualAddresses(config([network('internal', 'int0', addresses)], { ha }));
  expect(all.flatMap(({ ifname, cidr }) => (ifname === 'int0' ? [cidr] : []))).toEqual(addresses);
});
