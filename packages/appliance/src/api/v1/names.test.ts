import type { Link } from '@astara/kernel/contract.ts';
import { expect, it } from 'vitest';
import { realNames, virtualNames } from './names.ts';

function link(ifname: string, mac = 'fa:16:3e:00:00:01'): Link {
  return { index: 1, ifname, mac, mtu: 1500, up: true, running: true };
}

it('names network cards in the order of their names, as people count', () => {
  const links = ['eth10', 'lo', 'eth2', 'eth0', 'eth1'].map((ifname) => link(ifname));
  expect([...virtualNames(links)]).toEqual([
    ['ge0', 'eth0'],
    ['ge1', 'eth1'],
    ['ge2', 'eth2'],
    ['ge3', 'eth10'],
  ]);
});

it('puts the management interface first, wherever it is', () => {
  const names = virtualNames([link('ens3'), link('ens4'), link('ens5')], 'ens5');
  expect([...names.values()]).toEqual(['ens5', 'ens3', 'ens4']);
  expect(realNames(names).get('ens3')).toBe('ge1');
});

it('names no tunnel', () => {
  const links = [link('eth0'), link('ipsec0', ''), link('sit0', '00:00:00:00:00:00'), link('eth1')];
  expect([...virtualNames(links).values()]).toEqual(['eth0', 'eth1']);
});
