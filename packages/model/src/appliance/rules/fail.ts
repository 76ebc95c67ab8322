import ipaddr from 'ipaddr.js';
import { ipVersion, parseCidr } from '../../ip.ts';
import { MASK } from '../secret.ts';

/** What the rules share. `field` is a JSON pointer. */
export type Fail = (field: string, message: string) => void;

export function checkAddress(address: string, field: string, version: 4 | 6 | undefined, fail: Fail): boolean {
  const found = ipVersion(address);
  if (found !== undefined && (version === undefined || found === version)) return true;
  fail(field, `must be an ${version === undefined ? 'IP' : `IPv${version}`} address`);
  return false;
}

/** False, and said so, when it is no prefix (of that version). */
export function checkCidr(cidr: string, field: string, version: 4 | 6 | undefined, fail: Fail): boolean {
  const parsed = parseCidr(cidr);
  if (parsed === undefined) fail(field, 'must be address/prefix');
  else if (version !== undefined && parsed.version !== version) fail(field, `must be IPv${version}`);
  else return true;
  return false;
}

/** Whether a host may have this (valid) address: it is not unspecified, loopback, multicast or broadcast. */
export function isUnicast(address: string): boolean {
  return !['unspecified', 'loopback', 'multicast', 'broadcast'].includes(ipaddr.parse(address).range());
}

/** A secret that came out of an answer of ours. */
export function checkSecret(secret: string | undefined, field: string, fail: Fail): void {
  if (secret === MASK) fail(field, 'is the mask that answers show instead of the secret: send the secret itself');
}

/** RFC 6901 §3. */
export function escaped(text: string): string {
  return text.replaceAll('~', '~0').replaceAll('/', '~1');
}
