import { describe, expect, it } from 'vitest';
import { currentLeases, movedAddresses, parseLeases, staleLeases, withoutLeases } from './leases.ts';

/** As dnsmasq 2.90 writes it: an endless lease, another hardware type, no name, and DUIDs with and without a MAC. */
const FILE = `1795366436 fa:16:3e:00:0a:01 10.1.0.10 alpha 01:fa:16:3e:00:0a:01
0 06-fa:16:3e:00:0a:02 10.1.0.11 * *
duid 00:01:00:01:32:94:81:d1:36:c1:17:fd:6f:9a
1795366436 1040000 fd01::10 alpha 00:03:00:01:fa:16:3e:00:0a:01
1795366436 1040001 fd01::11 * 00:01:00:01:32:94:81:d1:fa:16:3e:00:0a:02
1795366436 1040002 fd01::12 * 00:04:01:02
`;

const leases = parseLeases(FILE);

describe('a lease file', () => {
  it('is read, whatever the version and the client', () => {
    expect(leases.map(({ address, mac, expiry }) => [address, mac, expiry])).toEqual([
      ['10.1.0.10', 'fa:16:3e:00:0a:01', 1795366436],
      ['10.1.0.11', 'fa:16:3e:00:0a:02', 0],
      ['fd01::10', 'fa:16:3e:00:0a:01', 1795366436],
      ['fd01::11', 'fa:16:3e:00:0a:02', 1795366436],
      ['fd01::12', undefined, 1795366436],
    ]);
  });

  it('of another shape is no lease', () => {
    expect(parseLeases('root:x:0:0:root:/root:/bin/sh\nno number 10.1.0.10 x y\n\n')).toEqual([]);
  });

  it('loses lines and keeps the rest', () => {
    const gone = leases.filter(({ address }) => address === '10.1.0.11');
    expect(withoutLeases(FILE, gone)).toBe(
      FILE.split('\n')
        .filter((line) => !line.includes('10.1.0.11'))
        .join('\n'),
    );
  });
});

describe('leases', () => {
  const owners = new Map([
    ['10.1.0.10', 'fa:16:3e:00:0a:01'],
    ['10.1.0.11', 'fa:16:3e:00:0a:ff'],
    ['fd01::12', 'fa:16:3e:00:0a:03'],
  ]);

  it('are told of those whose address is still theirs', () => {
    expect(currentLeases(leases, owners, 'net')).toEqual([
      {
        network_id: 'net',
        ip_address: '10.1.0.10',
        mac_address: 'fa:16:3e:00:0a:01',
        hostname: 'alpha',
        expires_at: '2026-11-22T16:53:56.000Z',
        client_id: '01:fa:16:3e:00:0a:01',
      },
      {
        network_id: 'net',
        ip_address: 'fd01::12',
        mac_address: null,
        hostname: null,
        expires_at: '2026-11-22T16:53:56.000Z',
        client_id: '00:04:01:02',
      },
    ]);
    const [endless] = currentLeases(leases, new Map([['10.1.0.11', 'fa:16:3e:00:0a:02']]), 'net');
    expect(endless?.expires_at).toBeNull();
  });

  it('are in the way of a new owner, also when it is not known whose they are', () => {
    expect(staleLeases(leases, owners, new Set()).map(({ address }) => address)).toEqual(['10.1.0.11']);
    const moved = movedAddresses(new Map([['fd01::12', 'fa:16:3e:00:0a:02']]), owners);
    expect(moved).toEqual(new Set(['10.1.0.10', '10.1.0.11', 'fd01::12']));
    expect(staleLeases(leases, owners, moved).map(({ address }) => address)).toEqual(['10.1.0.11', 'fd01::12']);
  });
});
