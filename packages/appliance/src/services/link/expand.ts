import { ipBytes, ipText } from '@astara/kernel/address.ts';
import { networkOf } from '@astara/model/ip.ts';

/** Every address of a (small) prefix, in order. */
export function* addressesOf(cidr: string): Generator<string> {
  const [network = '', length] = networkOf(cidr).split('/');
  const bytes = ipBytes(network);
  const count = 2 ** (bytes.length * 8 - Number(length));
  for (let index = 0; index < count; index++) {
    yield ipText(bytes);
    increment(bytes);
  }
}

function increment(bytes: Buffer): void {
  for (let at = bytes.length - 1; at >= 0; at--) {
    const next = (bytes[at] ?? 0) + 1;
    bytes[at] = next & 0xff;
    if (next <= 0xff) return;
  }
}
