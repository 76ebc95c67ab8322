import type { ApplianceConfig } from '../config.ts';
import { checkAddress, type Fail, isUnicast } from './fail.ts';

export function checkIdentity({ identity }: ApplianceConfig, fail: Fail): void {
  identity?.nameservers?.forEach((address, index) => {
    const field = `/identity/nameservers/${index}`;
    if (!checkAddress(address, field, undefined, fail)) return;
    const own = /^(127\.|::1$)/.test(address);
    if (!own && !isUnicast(address)) fail(field, 'must be the address of one machine');
  });
  identity?.authorized_keys?.forEach((key, index) => {
    const [type = '', blob = ''] = key.split(' ');
    if (keyType(blob) !== type) fail(`/identity/authorized_keys/${index}`, `is not a whole ${type} key`);
  });
}

/** The type that a public key says itself to be, RFC 4253 §6.6: a string with its length before it. */
function keyType(blob: string): string | undefined {
  const bytes = Buffer.from(blob, 'base64');
  if (bytes.length < 4) return undefined;
  const end = 4 + bytes.readUInt32BE(0);
  // There is a key behind its type.
  return end < bytes.length ? bytes.toString('latin1', 4, end) : undefined;
}
