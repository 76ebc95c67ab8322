/** Addresses between their text and the bytes of the wire. */
import { canonicalIp, linkLocal } from '@astara/model/ip.ts';

/** 4 or 16 bytes. The text must be a valid address without zone. */
export function ipBytes(text: string): Buffer {
  if (!text.includes(':')) return Buffer.from(text.split('.').map(Number));
  const [head = '', tail] = canonicalIp(text).split('::');
  const left = groups(head);
  const right = groups(tail ?? '');
  const bytes = Buffer.alloc(16);
  left.forEach((group, index) => {
    bytes.writeUInt16BE(group, index * 2);
  });
  right.forEach((group, index) => {
    bytes.writeUInt16BE(group, 16 - (right.length - index) * 2);
  });
  return bytes;
}

function groups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

/** Canonical text (RFC 5952) of 4 or 16 bytes. */
export function ipText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  const words: number[] = [];
  for (let at = 0; at < 16; at += 2) words.push(bytes.readUInt16BE(at));
  let start = -1;
  let length = 1;
  for (let at = 0; at < 8; at++) {
    let end = at;
    while (end < 8 && words[end] === 0) end++;
    if (end - at > length) {
      start = at;
      length = end - at;
    }
  }
  const hex = (part: number[]) => part.map((word) => word.toString(16)).join(':');
  return start < 0 ? hex(words) : `${hex(words.slice(0, start))}::${hex(words.slice(start + length))}`;
}

export function macBytes(text: string): Buffer {
  return Buffer.from(text.replaceAll(':', ''), 'hex');
}

export function macText(bytes: Buffer): string {
  return (bytes.toString('hex').match(/../g) ?? []).join(':');
}

/**
 * Whether the kernel made this address by itself: loopback's own, and link-local by EUI-64. Kernels before 5.18 do not
 * say (IFA_PROTO), nor does iproute2 6.1, so it is known by its value.
 */
export function isMadeByKernel(address: string, ifname: string, mac: string | undefined): boolean {
  if (ifname === 'lo') return address === '127.0.0.1' || address === '::1';
  return mac !== undefined && mac !== '' && address.startsWith('fe80:') && address === linkLocal(mac);
}
