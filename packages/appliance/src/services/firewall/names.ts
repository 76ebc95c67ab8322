import { createHash } from 'node:crypto';
import type { SetId } from './nodes.ts';

/** A name of nft's for a name of a tenant's, which may have characters and a length that nft's may not. */
export function identifier(kind: string, name: string, suffix = ''): SetId {
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 16);
  return `${kind}_${hash}${suffix}` as SetId;
}
