import type { IkePolicy, IpsecPolicy } from '@astara/model/appliance/vpn.ts';

/** VPNaaS's names of algorithms as strongSwan's keywords (src/libstrongswan/crypto/proposal/proposal_keywords_static.txt). */

const groups: Readonly<Record<string, string>> = {
  group2: 'modp1024',
  group5: 'modp1536',
  group14: 'modp2048',
  group15: 'modp3072',
  group16: 'modp4096',
  group17: 'modp6144',
  group18: 'modp8192',
  group19: 'ecp256',
  group20: 'ecp384',
  group21: 'ecp521',
  group22: 'modp1024s160',
  group23: 'modp2048s224',
  group24: 'modp2048s256',
  group25: 'ecp192',
  group26: 'ecp224',
  group27: 'ecp224bp',
  group28: 'ecp256bp',
  group29: 'ecp384bp',
  group30: 'ecp512bp',
  group31: 'x25519',
};

export function ikeProposal({ encryption_algorithm, auth_algorithm, pfs }: IkePolicy): string {
  const integrity = auth_algorithm.replace('-', '');
  // Encryption that authenticates by itself leaves the algorithm to the pseudo-random function alone.
  const second = authenticates(encryption_algorithm) ? `prf${integrity}` : integrity;
  return [encryption(encryption_algorithm), second, group(pfs)].join('-');
}

export function espProposal({ encryption_algorithm, auth_algorithm, pfs }: IpsecPolicy): string {
  const integrity = authenticates(encryption_algorithm) ? [] : [auth_algorithm.replace('-', '')];
  return [encryption(encryption_algorithm), ...integrity, group(pfs)].join('-');
}

export function ahProposal({ auth_algorithm, pfs }: IpsecPolicy): string {
  return [auth_algorithm.replace('-', ''), group(pfs)].join('-');
}

/** Whether it is authenticated encryption (RFC 5282). */
export function authenticates(name: string): boolean {
  return name.includes('-gcm-') || name.includes('-ccm-');
}

/** `aes-256-gcm-16` → `aes256gcm16`. */
function encryption(name: string): string {
  return name.replaceAll('-', '');
}

function group(name: string): string {
  const keyword = groups[name];
  if (keyword === undefined) throw new RangeError(`no Diffie-Hellman group ${name}`);
  return keyword;
}
