import { expect, test } from 'vitest';
import type { ApplianceConfig } from '../config.ts';
import type { Ha } from '../ha.ts';
import type { Network } from '../network.ts';
import { validateConfig } from '../rules.ts';

function network(type: Network['network_type'], ifname: string, addresses: string[]): Network {
  return {
    network_id: Buffer.from(ifname).toString('hex'),
    name: ifname,
    network_type: type,
    interface: { ifname, addresses },
    v4_conf_service: 'static',
    v6_conf_service: 'static',
    subnets: [],
    allocations: [],
  };
}

function errors(ha: Partial<Ha>, more: Partial<ApplianceConfig> = {}): string[] {
  const networks = [
    network('management', 'ha0', ['172.31.0.1/24', 'fd31::1/64']),
    network('management', 'mgt0', ['fe80::1/64']),
    network('internal', 'int0', ['10.0.0.1/24']),
  ];
  const validated = validateConfig({
    hostname: 'r1',
    tenant_id: 'f00d',
    networks,
    floating_ips: [],
    ha: { vrid: 1, priority: 100, interface: 'ha0', peers: [], ...ha },
    ...more,
  });
  return validated.ok ? [] : validated.errors.map(({ field }) => field);
}

test('members that can hear each other', () => {
  expect(errors({})).toEqual([]);
  expect(errors({ peers: ['172.31.0.2', '172.31.0.3'] })).toEqual([]);
  expect(errors({ peers: ['172.31.0.2', 'fd31::2'] })).toEqual([]);
  expect(errors({ advert_interval_ms: 10, nopreempt: false, conntrack_sync: false })).toEqual([]);
});

test.each([
  ['an interface of no network', { interface: 'eth9' }, '/ha/interface'],
  ['one that the router itself is on', { interface: 'int0' }, '/ha/interface'],
  ['one without an address but a link-local one', { interface: 'mgt0' }, '/networks/1/interface/addresses'],
  ['a peer elsewhere', { peers: ['172.31.0.2', '10.9.9.9'] }, '/ha/peers/1'],
  ['itself, in another spelling', { peers: ['FD31:0::1'] }, '/ha/peers/0'],
  ['a peer twice, in another spelling', { peers: ['fd31::2', 'FD31::2'] }, '/ha/peers/1'],
  ['a peer that is heard in one version only', { peers: ['172.31.0.2', '172.31.0.3', 'fd31::2'] }, '/ha/peers'],
  ['no VRID', { vrid: 0 }, '/ha/vrid'],
  ['the priority of an owner', { priority: 255 }, '/ha/priority'],
  ['fractions of a hundredth of a second', { advert_interval_ms: 15 }, '/ha/advert_interval_ms'],
] as const)('refused: %s', (_, ha, field) => {
  expect(errors(ha as Partial<Ha>)).toEqual([field]);
});

test('addresses that move between members cannot come from elsewhere', () => {
  const dynamic: Network = { ...network('external', 'ext0', []), v6_conf_service: 'ra' };
  expect(errors({}, { networks: [network('management', 'ha0', ['172.31.0.1/24']), dynamic] })).toEqual([
    '/networks/1/v6_conf_service',
  ]);
});
