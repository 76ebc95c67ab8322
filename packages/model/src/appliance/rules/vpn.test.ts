import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ApplianceConfig } from '../config.ts';
import { validateConfig } from '../rules.ts';
import { MASK } from '../secret.ts';
import type { VpnConnection } from '../vpn.ts';

const connection: VpnConnection = {
  id: 'c1',
  local_address: '198.51.100.1',
  peer_address: '198.51.100.2',
  peer_id: '198.51.100.2',
  psk: 's',
  initiator: 'bi-directional',
  local_cidrs: ['10.1.0.0/24'],
  peer_cidrs: ['10.2.0.0/24'],
  ike_policy: { ike_version: 'v2', auth_algorithm: 'sha256', encryption_algorithm: 'aes-128', pfs: 'group14' },
  ipsec_policy: {
    transform_protocol: 'esp',
    encapsulation_mode: 'tunnel',
    auth_algorithm: 'sha256',
    encryption_algorithm: 'aes-256-gcm-16',
    pfs: 'group14',
  },
};
const { psk: _, ...unproven } = connection;
const { peer_address: __, ...uncalled } = connection;

function fields(...connections: unknown[]): string[] {
  const config: ApplianceConfig = { hostname: 'r', tenant_id: 'c1', networks: [], floating_ips: [] };
  const result = validateConfig({ ...config, vpn: { connections } });
  return result.ok ? [] : result.errors.map(({ field }) => field.replace('/vpn/connections/0', ''));
}

/** A certificate that may sign others, and its key. */
const [caKey, ca] = (() => {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '-'];
  const extension = ['-addext', 'basicConstraints=critical,CA:TRUE'];
  const args = ['req', '-x509', ...key, '-subj', '/CN=ca', ...extension, '-out', '-'];
  const text = execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const at = text.indexOf('-----BEGIN CERTIFICATE');
  return [text.slice(0, at), text.slice(at)] as const;
})();
const certificate = { certificate: ca, private_key: caKey, ca_certificates: [ca] };
const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'pem', type: 'pkcs8' });

describe('a VPN connection', () => {
  it('is accepted when it is right', () => {
    expect(fields(connection)).toEqual([]);
    expect(fields({ ...unproven, certificate })).toEqual([]);
    expect(fields({ ...uncalled, initiator: 'response-only' })).toEqual([]);
    expect(
      fields({ ...connection, local_cidrs: ['10.1.0.0/24', 'fd01::/64'], peer_cidrs: ['fd02::/64', '10.2.0.0/24'] }),
    ).toEqual([]);
  });

  const policy = (change: object) => ({ ...connection, ike_policy: { ...connection.ike_policy, ...change } });
  const certified = (change: object) => ({ ...unproven, certificate: { ...certificate, ...change } });
  const dpd = (timeout: number) => ({ ...connection, dpd: { action: 'hold', interval: 30, timeout } });
  const wrong: [string, unknown, string][] = [
    ['nothing to prove itself by', unproven, '/psk'],
    ['two ways to prove itself', { ...connection, certificate }, '/certificate'],
    ['the mask of an answer', { ...connection, psk: MASK }, '/psk'],
    ['a line break in its key', { ...connection, psk: 'a\nb' }, '/psk'],
    ['a quote in an identity', { ...connection, peer_id: 'a"b' }, '/peer_id'],
    ['a line break behind an identity', { ...connection, peer_id: 'a\n' }, '/peer_id'],
    ['nobody to call', uncalled, '/initiator'],
    ['itself as peer', { ...connection, peer_address: '198.51.100.1' }, '/peer_address'],
    ['a peer of the other version', { ...connection, peer_address: '2001:db8::1' }, '/peer_address'],
    ['an address that is none', { ...connection, local_address: '1:2' }, '/local_address'],
    ['a subnet that is none', { ...connection, peer_cidrs: ['10.2.0.0/24', '10.0.0.0/99'] }, '/peer_cidrs/1'],
    ['a local subnet without a peer’s', { ...connection, local_cidrs: ['10.1.0.0/24', 'fd01::/64'] }, '/local_cidrs/1'],
    ['a peer’s subnet without a local', { ...connection, peer_cidrs: ['10.2.0.0/24', 'fd02::/64'] }, '/peer_cidrs/1'],
    ['IKEv2 in aggressive mode', policy({ aggressive: true }), '/ike_policy/aggressive'],
    ['an algorithm that is none', policy({ encryption_algorithm: 'aes-128-gcm' }), '/ike_policy/encryption_algorithm'],
    ['a group that is none', policy({ pfs: 'group32' }), '/ike_policy/pfs'],
    ['a timeout before it looks', dpd(30), '/dpd/timeout'],
    ['a certificate that is none', certified({ certificate: 'x' }), '/certificate/certificate'],
    ['two certificates in one', certified({ certificate: ca + ca }), '/certificate/certificate'],
    ['a key that is none', certified({ private_key: 'x' }), '/certificate/private_key'],
    ['the key of another certificate', certified({ private_key: other }), '/certificate/private_key'],
    ['an authority that is none', certified({ ca_certificates: [ca, 'x'] }), '/certificate/ca_certificates/1'],
  ];
  it.each(wrong)('is refused with %s', (_what, input, field) => {
    expect(fields(input)).toEqual([field]);
  });

  it('is refused with the id of another one, in any case', () => {
    expect(fields({ ...connection, id: 'AB' }, { ...connection, id: 'ab' })).toEqual(['/vpn/connections/1/id']);
  });

  it('is refused with more pairs of subnets than anybody has', () => {
    const many = (side: number, count: number) =>
      Array.from({ length: count }, (_, index) => `10.${side}.${index}.0/24`);
    expect(fields({ ...connection, local_cidrs: many(1, 64), peer_cidrs: many(2, 5) })).toEqual(['/peer_cidrs']);
    const big = { ...connection, local_cidrs: many(1, 64), peer_cidrs: many(2, 4) };
    const all = Array.from({ length: 9 }, (_, index) => ({ ...big, id: `c${index}` }));
    expect(fields(...all)).toEqual(['/vpn/connections/8/peer_cidrs']);
  });

  it('never shows what is in a key that is refused', () => {
    const config = { hostname: 'r', tenant_id: 'c1', networks: [], floating_ips: [] };
    const vpn = {
      connections: [
        { ...connection, psk: 'hidden\n' },
        { ...certified({ private_key: 'hidden' }), id: 'c2' },
      ],
    };
    expect(JSON.stringify(validateConfig({ ...config, vpn }))).not.toContain('hidden');
  });
});
