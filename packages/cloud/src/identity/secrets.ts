import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';

/** Cheap on purpose: a few milliseconds, for a cloud that holds nothing of worth and blocks while it counts. */
const cost = { N: 1024, r: 8, p: 1 };
const length = 32;

/** What is kept in place of a password: `salt:key`, hexadecimal. */
export function hashSecret(secret: string): string {
  const salt = randomBytes(16);
  return `${salt.toString('hex')}:${scryptSync(secret, salt, length, cost).toString('hex')}`;
}

export function isSecret(hash: string | null, secret: string): boolean {
  const [salt, key] = hash?.split(':') ?? [];
  if (salt === undefined || key === undefined) return false;
  return timingSafeEqual(Buffer.from(key, 'hex'), scryptSync(secret, Buffer.from(salt, 'hex'), length, cost));
}
