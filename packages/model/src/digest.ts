import { createHash } from 'node:crypto';

/** SHA-256 over JSON with sorted keys: equal values have equal digests, however they were built. */
export function digest(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

/** What `JSON.stringify` makes of it, with the keys of every object sorted. Several times as fast as with a replacer. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((entry) => canonicalJson(entry ?? null)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const inner = (value as Readonly<Record<string, unknown>>)[key];
    if (inner !== undefined) entries.push(`${JSON.stringify(key)}:${canonicalJson(inner)}`);
  }
  return `{${entries.join(',')}}`;
}
