import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { ipVersion, parseCidr } from '../../ip.ts';
import type { ApplianceConfig } from '../config.ts';
import type { VpnCertificate, VpnConnection } from '../vpn.ts';
import { checkAddress, checkCidr, checkSecret, type Fail } from './fail.ts';

/** Pairs of a local and a peer's subnet: of one connection, and of all. */
const MAX_PAIRS = 256;
const MAX_ALL_PAIRS = 2048;
/** Bits of an RSA key, at least. */
const MIN_RSA = 2048;

export function checkVpn(config: ApplianceConfig, fail: Fail): void {
  const ids = new Set<string>();
  let pairs = 0;
  config.vpn?.connections.forEach((connection, index) => {
    const field = `/vpn/connections/${index}`;
    const id = connection.id.toLowerCase();
    if (ids.has(id)) fail(`${field}/id`, 'is the id of another connection');
    ids.add(id);
    checkEnds(connection, field, fail);
    checkProof(connection, field, fail);
    checkSubnets(connection, field, fail);
    checkPolicies(connection, field, fail);
    pairs += connection.local_cidrs.length * connection.peer_cidrs.length;
    if (pairs > MAX_ALL_PAIRS) fail(`${field}/peer_cidrs`, `makes more than ${MAX_ALL_PAIRS} pairs of subnets in all`);
  });
}

function checkEnds(connection: VpnConnection, field: string, fail: Fail): void {
  const { local_address, peer_address, initiator } = connection;
  const local = checkAddress(local_address, `${field}/local_address`, undefined, fail);
  if (peer_address === undefined) {
    if (initiator !== 'response-only') {
      fail(`${field}/initiator`, 'must be response-only: without peer_address nobody can be called');
    }
    return;
  }
  const version = local ? ipVersion(local_address) : undefined;
  const peer = checkAddress(peer_address, `${field}/peer_address`, version, fail);
  if (local && peer && local_address === peer_address) fail(`${field}/peer_address`, 'is local_address');
}

function checkProof({ psk, certificate }: VpnConnection, field: string, fail: Fail): void {
  checkSecret(psk, `${field}/psk`, fail);
  if (psk !== undefined && certificate !== undefined) fail(`${field}/certificate`, 'must be absent: there is a psk');
  else if (certificate !== undefined) checkCertificate(certificate, `${field}/certificate`, fail);
  else if (psk === undefined) fail(`${field}/psk`, 'must be there, or a certificate');
}

function checkSubnets(connection: VpnConnection, field: string, fail: Fail): void {
  const { local_cidrs, peer_cidrs } = connection;
  const parsed = (name: 'local_cidrs' | 'peer_cidrs') =>
    connection[name].every((cidr, index) => checkCidr(cidr, `${field}/${name}/${index}`, undefined, fail));
  const valid = [parsed('local_cidrs'), parsed('peer_cidrs')];
  if (valid.includes(false)) return;
  const versions = (cidrs: readonly string[]) => cidrs.map((cidr) => parseCidr(cidr)?.version);
  const [locals, peers] = [versions(local_cidrs), versions(peer_cidrs)];
  locals.forEach((version, index) => {
    if (!peers.includes(version)) fail(`${field}/local_cidrs/${index}`, 'has no peer CIDR of its IP version');
  });
  peers.forEach((version, index) => {
    if (!locals.includes(version)) fail(`${field}/peer_cidrs/${index}`, 'has no local CIDR of its IP version');
  });
  if (local_cidrs.length * peer_cidrs.length > MAX_PAIRS) {
    fail(`${field}/peer_cidrs`, `makes more than ${MAX_PAIRS} pairs with local_cidrs`);
  }
}

function checkPolicies({ ike_policy, dpd }: VpnConnection, field: string, fail: Fail): void {
  if (ike_policy.aggressive === true && ike_policy.ike_version !== 'v1') {
    fail(`${field}/ike_policy/aggressive`, 'is of IKEv1 only');
  }
  if (dpd !== undefined && dpd.action !== 'disabled' && dpd.timeout <= dpd.interval) {
    fail(`${field}/dpd/timeout`, 'must be more than interval');
  }
}

function checkCertificate(given: VpnCertificate, field: string, fail: Fail): void {
  checkSecret(given.private_key, `${field}/private_key`, fail);
  const certificate = parse(given.certificate);
  if (certificate === undefined) fail(`${field}/certificate`, 'must be one X.509 certificate, PEM');
  else if (!usable(certificate.publicKey)) fail(`${field}/certificate`, `must have ${usableKeys}`);
  const key = parseKey(given.private_key);
  if (key === undefined) fail(`${field}/private_key`, 'must be one private key without a passphrase, PEM');
  else if (certificate?.checkPrivateKey(key) === false) fail(`${field}/private_key`, 'is not that of the certificate');
  given.ca_certificates.forEach((pem, index) => {
    const ca = parse(pem);
    if (ca === undefined) fail(`${field}/ca_certificates/${index}`, 'must be one X.509 certificate, PEM');
    else if (!ca.ca) fail(`${field}/ca_certificates/${index}`, 'must be a certificate that may sign others (CA)');
    else if (!usable(ca.publicKey)) fail(`${field}/ca_certificates/${index}`, `must have ${usableKeys}`);
  });
}

const usableKeys = `an RSA key of ${MIN_RSA} bits or more, an ECDSA key on P-256, P-384 or P-521, or an Ed25519 or Ed448 key`;

function usable({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  const { modulusLength = 0, namedCurve = '' } = asymmetricKeyDetails ?? {};
  if (asymmetricKeyType === 'rsa') return modulusLength >= MIN_RSA;
  if (asymmetricKeyType === 'ec') return ['prime256v1', 'secp384r1', 'secp521r1'].includes(namedCurve);
  return asymmetricKeyType === 'ed25519' || asymmetricKeyType === 'ed448';
}

function parse(pem: string): X509Certificate | undefined {
  if (pem.split('-----BEGIN ').length !== 2) return undefined;
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function parseKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey({ key: pem, format: 'pem' });
  } catch {
    return undefined;
  }
}
