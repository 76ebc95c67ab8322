import { errors } from '../../errors.ts';

/** Entity tags of ours: a digest in quotes. */
const STRONG = /^"([0-9a-f]{64})"$/;
const WEAK = /^W\/"/;

/**
 * The ETag that `If-Match` (RFC 9110 §13.1.1) asks for: one, or `*` for whatever is in force. Lists are refused: of a
 * configuration one has read one version.
 */
export function ifMatch(header: string | undefined, inForce: string | undefined): { readonly ifMatch?: string } {
  if (header === undefined) return {};
  const given = header.trim();
  if (given === '*') {
    if (inForce !== undefined) return {};
    throw errors.make('APPLIANCE_ETAG_MISMATCH', { given, applied: 'none' });
  }
  const [, etag] = STRONG.exec(given) ?? [];
  if (etag !== undefined) return { ifMatch: etag };
  // Compared strongly (RFC 9110 §8.8.3.2), a weak one matches nothing.
  if (WEAK.test(given)) throw errors.make('APPLIANCE_ETAG_MISMATCH', { given, applied: inForce ?? 'none' });
  throw errors.make('APPLIANCE_PARAMETER_REFUSED', { name: 'If-Match', reason: 'it is no ETag of a configuration' });
}
