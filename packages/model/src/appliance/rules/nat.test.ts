import { describe, expect, it } from 'vitest';
import type { ApplianceConfig } from '../config.ts';
import type { PortForwarding } from '../nat.ts';
import { validateConfig } from '../rules.ts';

const config: ApplianceConfig = {
  hostname: 'r',
  tenant_id: 'c1',
  networks: [],
  floating_ips: [{ floating_ip: '203.0.113.1', fixed_ip: '10.0.0.1' }],
};
const forwarding: PortForwarding = {
  floating_ip: '203.0.113.2',
  protocol: 'tcp',
  external_port: 80,
  internal_ip: '10.0.0.1',
  internal_port: 8080,
};
const forward = (...changes: Partial<PortForwarding>[]) => ({
  ...config,
  port_forwardings: changes.map((change) => ({ ...forwarding, ...change })),
});

function fields(input: unknown): string[] {
  const result = validateConfig(input);
  return result.ok ? [] : result.errors.map(({ field }) => field);
}

describe('port forwardings', () => {
  it('may share an address, and be ranges', () => {
    expect(
      fields(
        forward(
          {},
          { protocol: 'udp' },
          { external_port: 81 },
          { external_port: 90, external_port_end: 99, internal_port: 190, internal_port_end: 199 },
          { external_port: 100, external_port_end: 109 },
          { floating_ip: '203.0.113.3' },
        ),
      ),
    ).toEqual([]);
  });

  const wrong: [string, unknown, string][] = [
    ['the address of a floating IP', forward({ floating_ip: '203.0.113.1' }), '/port_forwardings/0/floating_ip'],
    ['a port twice', forward({}, { internal_port: 1 }), '/port_forwardings/1/external_port'],
    [
      'a port in a range of another',
      forward({ external_port: 100 }, { external_port: 90, external_port_end: 100 }),
      '/port_forwardings/0/external_port',
    ],
    ['a range that ends first', forward({ external_port_end: 79 }), '/port_forwardings/0/external_port_end'],
    [
      'a range of another length inside',
      forward({ external_port_end: 89, internal_port_end: 8090 }),
      '/port_forwardings/0/internal_port_end',
    ],
    ['port 0', forward({ external_port: 0 }), '/port_forwardings/0/external_port'],
    [
      'too many ports',
      forward(
        ...[0, 1, 2, 3].map((host) => ({
          floating_ip: `203.0.114.${host}`,
          external_port: 1,
          external_port_end: 65_535,
        })),
      ),
      '/port_forwardings/3',
    ],
  ];
  it.each(wrong)('are refused with %s', (_what, input, field) => {
    expect(fields(input)).toEqual([field]);
  });
});

describe('addresses of source NAT', () => {
  it('are no floating IPs', () => {
    expect(fields({ ...config, snat_addresses: ['203.0.113.9', '203.0.113.1'] })).toEqual(['/snat_addresses/1']);
  });
});

describe('a rate limit', () => {
  it('is one that the kernel can reckon with', () => {
    const limit = (ingress: unknown) => ({
      ...config,
      floating_ips: [{ ...config.floating_ips[0], rate_limits: { ingress } }],
    });
    expect(fields(limit({ max_kbps: 100_000_000, max_burst_kbps: 32_000_000 }))).toEqual([]);
    expect(fields(limit({ max_kbps: 100_000_001 }))).toEqual(['/floating_ips/0/rate_limits/ingress/max_kbps']);
    expect(fields(limit({ max_kbps: 0 }))).toEqual(['/floating_ips/0/rate_limits/ingress/max_kbps']);
  });
});
