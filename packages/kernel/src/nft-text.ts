/** What nft and libnftables print. */
import type { NftJson } from './contract.ts';
import { type Asked, errnoInText, KernelError } from './errors.ts';

/** What `nft -j list` printed; nothing at all when there is nothing to list. */
export function parseNftJson(text: string, asked: Asked): NftJson {
  if (text.trim() === '') return { nftables: [] };
  try {
    const parsed: unknown = JSON.parse(text);
    if (isNftJson(parsed)) return parsed;
  } catch (cause) {
    throw new KernelError('KERNEL_NFT', asked, '', 'the listing is not JSON', cause);
  }
  throw new KernelError('KERNEL_NFT', asked, '', 'the listing is not libnftables-json(5)');
}

function isNftJson(value: unknown): value is NftJson {
  return typeof value === 'object' && value !== null && 'nftables' in value && Array.isArray(value.nftables);
}

/** A failed transaction. Where nft names the file it read (`/dev/stdin:2:5-9:`), the line of the script is left. */
export function nftFailure(asked: Asked, text: string): KernelError {
  const detail = text.trim().replaceAll(/^\/\S+?:(\d+):(\d+)-\d+: /gm, 'line $1, column $2: ');
  return new KernelError('KERNEL_NFT', asked, errnoInText(text, ''), detail);
}
