import { createHash } from 'node:crypto';
import { digest } from '../digest.ts';
import type { ApplianceConfig } from './config.ts';

/** Digest of each field that a configuration has, without its generation. */
export type ConfigDigests = Readonly<Partial<Record<keyof ApplianceConfig, string>>>;

export function configDigests(config: ApplianceConfig): ConfigDigests {
  const { generation: _, ...content } = config;
  return Object.freeze(
    Object.fromEntries(
      Object.entries(content).flatMap(([field, value]) => {
        return value === undefined ? [] : [[field, digest(value)]];
      }),
    ),
  );
}

/**
 * What a configuration says, in 64 hex digits: its generation does not matter. The appliance reports it as `applied.etag`, the
 * orchestrator compares it with what it wants, so that nothing is pushed that is in force already.
 */
export function configEtag(config: ApplianceConfig): string {
  return etagOf(configDigests(config));
}

export function etagOf(digests: ConfigDigests): string {
  const fields = Object.entries(digests).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex');
}
