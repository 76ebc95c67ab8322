import { describe, expect, it } from 'vitest';
import type { ApplianceConfig } from '../config.ts';
import type { Network } from '../network.ts';
import { validateConfig } from '../rules.ts';

function validate(network: Partial<Network>, more: Partial<ApplianceConfig> = {}) {
  const config: ApplianceConfig = {
    hostname: 'r1',
    tenant_id: 'feed',
    networks: [
      {
        network_id: 'a',
        name: 'a',
        network_type: 'internal',
        interface: { ifname: 'qr-a', addresses: ['10.1.0.1/24'] },
        v4_conf_service: 'static',
        v6_conf_service: 'static',
        subnets: [],
        allocations: [],
        ...network,
      },
    ],
    floating_ips: [],
    ...more,
  };
  const checked = validateConfig(config);
  return checked.ok ? [] : checked.errors.map(({ field }) => field);
}

describe('host records', () => {
  const record = (name: string, addresses = ['10.1.0.80']) => validate({ host_records: [{ name, addresses }] });

  it('have a name below the domain or a complete one', () => {
    expect(record('www')).toEqual([]);
    expect(record('www.api')).toEqual([]);
    expect(record('api.example.org.', ['10.1.0.80', 'fd01::80'])).toEqual([]);
  });

  it('are refused when they cannot be names or addresses', () => {
    expect(record('a\nb')).toEqual(['/networks/0/host_records/0/name']);
    expect(record('a b')).toEqual(['/networks/0/host_records/0/name']);
    expect(record('_srv')).toEqual(['/networks/0/host_records/0/name']);
    expect(record('www', ['::g'])).toEqual(['/networks/0/host_records/0/addresses/0']);
    expect(record('www', [])).toEqual(['/networks/0/host_records/0/addresses']);
    expect(record('www', ['fffff::1'])).toEqual(['/networks/0/host_records/0/addresses/0']);
  });

  it('are refused when the domain makes them too long, and not when they are complete', () => {
    const long = Array.from({ length: 4 }, () => 'a'.repeat(60)).join('.');
    expect(record(long)).toEqual(['/networks/0/host_records/0/name']);
    expect(record(`${long}.`)).toEqual([]);
  });
});

describe('forwarders', () => {
  it('are somebody else', () => {
    expect(validate({ dns_forwarders: ['192.0.2.1', '2001:db8::1'] }, { dns_forwarders: ['192.0.2.1'] })).toEqual([]);
    expect(validate({ dns_forwarders: ['192.0.2.1', '10.1.0.1'] }, { dns_forwarders: ['10.1.0.1'] })).toEqual([
      '/dns_forwarders/0',
      '/networks/0/dns_forwarders/1',
    ]);
    expect(validate({ dns_forwarders: ['999::x'] })).toEqual(['/networks/0/dns_forwarders/0']);
  });
});
