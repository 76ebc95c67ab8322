import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ApiWorld } from '../../testing/api-world.ts';
import { allocation, config, network, subnet } from '../../testing/configs.ts';
import { odd, places, replaced } from '../../testing/mutations.ts';

let api: ApiWorld;

beforeAll(async () => {
  api = await ApiWorld.create({ ext: 'qg-x', neta: 'qr-a' });
});
afterAll(() => api?.close());

/** A little of everything that a configuration can say. */
const whole: ApplianceConfig = config(
  [
    network('external', 'qg-x', ['198.51.100.2/24', '2001:db8:1::2/64']),
    network('internal', 'qr-a', ['10.1.0.1/24', 'fd00::1/64'], {
      subnets: [
        subnet('10.1.0.0/24', '10.1.0.1', {
          dhcp_enabled: true,
          dns_nameservers: ['198.51.100.53'],
          host_routes: [{ destination: '10.9.0.0/16', nexthop: '10.1.0.9' }],
        }),
        subnet('fd00::/64', 'fd00::1', { ipv6_ra_mode: 'slaac' }),
      ],
      allocations: [
        allocation(
          'fa:16:3e:00:00:05',
          { '10.1.0.5': true, 'fd00::5': false },
          {
            dhcp_options: [{ name: 'bootfile-name', value: 'pxelinux.0', ip_version: 4 }],
          },
        ),
      ],
      dns_domain: 'example.org',
    }),
  ],
  {
    generation: 1,
    default_v4_gateway: '198.51.100.1',
    default_v6_gateway: '2001:db8:1::1',
    snat_addresses: ['198.51.100.2'],
    floating_ips: [{ floating_ip: '198.51.100.5', fixed_ip: '10.1.0.5', rate_limits: { ingress: { max_kbps: 1000 } } }],
    port_forwardings: [
      { floating_ip: '198.51.100.6', protocol: 'tcp', external_port: 80, internal_ip: '10.1.0.5', internal_port: 8080 },
    ],
    static_routes: [{ destination: '10.8.0.0/16', nexthop: '10.1.0.8' }],
    metadata: { endpoint: 'http://127.0.0.1:9697' },
    dns_forwarders: ['198.51.100.53'],
    labels: { outside: ['198.51.100.0/24'] },
    address_book: { office: ['192.0.2.0/24'] },
    anchors: [{ name: 'a', rules: [{ action: 'block', protocol: 'tcp', source: 'office', destination_port: '22' }] }],
    firewall_groups: [
      { id: 'f1', interfaces: ['qr-a'], ingress_rules: [{ action: 'allow', protocol: 'icmp' }], egress_rules: [] },
    ],
    bgp: { asn: 64512, neighbors: [{ address: '198.51.100.1', asn: 64513, password: 'hush' }] },
    vpn: {
      connections: [
        {
          id: 'c1',
          local_address: '198.51.100.2',
          peer_address: '198.51.100.9',
          peer_id: '198.51.100.9',
          psk: 'hush',
          initiator: 'response-only',
          local_cidrs: ['10.1.0.0/24'],
          peer_cidrs: ['10.99.0.0/24'],
          dpd: { action: 'hold', interval: 30, timeout: 120 },
          ike_policy: { ike_version: 'v2', auth_algorithm: 'sha256', encryption_algorithm: 'aes-128', pfs: 'group14' },
          ipsec_policy: {
            transform_protocol: 'esp',
            encapsulation_mode: 'tunnel',
            auth_algorithm: 'sha256',
            encryption_algorithm: 'aes-128',
            pfs: 'group14',
          },
        },
      ],
    },
    probes: [{ type: 'tcp', address: '198.51.100.1', port: 80 }],
  },
);

/** What a stranger may send may be refused; it is never our fault. */
const REFUSALS = [400, 409, 415, 422];

it('is a configuration as it stands', async () => {
  const answer = await api.ask('PUT', '/v2/config?check=false', whole);
  expect(answer.status, answer.text).toBe(200);
});

it('whatever replaces a part of it, the answer is a plan, or a refusal in the one shape', async () => {
  const parts = places(whole);
  const seen = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...parts), odd, async (place, by) => {
      const answer = await api.ask('PUT', '/v2/config?dry_run=true', JSON.stringify(replaced(whole, place, by)));
      seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1);
      expect([200, ...REFUSALS], `${place.join('/')}: ${answer.text}`).toContain(answer.status);
      if (answer.status === 422) expect(answer.body.error.field, answer.text).toMatch(/^\//);
      expect(answer.text).not.toContain('hush');
    }),
    { numRuns: 1_000 },
  );
  expect(seen.get(200)).toBeGreaterThan(50);
  expect(seen.get(422)).toBeGreaterThan(300);
}, 40_000);

it('whatever the bytes are, they are refused', async () => {
  const bytes = Buffer.from(JSON.stringify(whole));
  const broken = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
    fc.nat({ max: bytes.length - 2 }).map((end) => bytes.subarray(0, end)),
    fc
      .tuple(
        fc.nat({ max: bytes.length - 1 }),
        fc.constantFrom(...Buffer.from('{}[],:"\\\0')).filter((byte) => byte !== 0x20),
      )
      .map(([index, byte]) =>
        Buffer.concat([bytes.subarray(0, index), Buffer.from([byte, byte]), bytes.subarray(index)]),
      ),
  );
  await fc.assert(
    fc.asyncProperty(broken, async (body) => {
      const answer = await api.ask('PUT', '/v2/config?dry_run=true', body);
      expect([200, ...REFUSALS], answer.text).toContain(answer.status);
    }),
    { numRuns: 500 },
  );
}, 20_000);
