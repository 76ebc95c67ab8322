import type { Home } from '../../home.ts';
import type { Ipsec } from './render.ts';

/** Of the association that is tried, and taken away at once. */
const TRIAL = ['src', '127.0.0.1', 'dst', '127.0.0.1', 'proto', 'esp', 'spi', '0xa57a7a'];
/** A well-known key: nothing is ever sent with it. */
const ALGORITHMS = ['enc', 'cbc(aes)', `0x${'00'.repeat(16)}`, 'auth', 'hmac(sha256)', `0x${'00'.repeat(32)}`];

/** Whether the kernel has ESP. Asking for an association also loads the modules that it may be in. */
export async function findIpsec(home: Home): Promise<Ipsec> {
  try {
    await home.run(['ip', 'xfrm', 'state', 'add', ...TRIAL, 'mode', 'tunnel', ...ALGORITHMS]);
  } catch {
    return 'userspace';
  }
  await home.run(['ip', 'xfrm', 'state', 'delete', ...TRIAL]);
  return 'kernel';
}

/** What a charon that was killed has left in the kernel would be in the way of the next one. */
export async function flushKernel(home: Home): Promise<void> {
  await home.run(['ip', 'xfrm', 'policy', 'flush']);
  await home.run(['ip', 'xfrm', 'state', 'flush']);
}
