import { digest } from '../digest.ts';
import type { ApplianceConfig } from './config.ts';

/**
 * What a configuration says, in 64 hex digits: {@link digest} of it without its generation. The appliance reports it as
 * `applied.etag`, the orchestrator compares it with what it wants, so that nothing is pushed that is in force already.
 */
export function configEtag(config: ApplianceConfig): string {
  const { generation: _, ...content } = config;
  return digest(content);
}
