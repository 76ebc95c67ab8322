import type { ApplianceConfig } from '../config.ts';
import type { Fail } from './fail.ts';

export function checkMetadata({ metadata }: ApplianceConfig, fail: Fail): void {
  if (metadata === undefined || metadata.endpoint.startsWith('unix:')) return;
  if (!URL.canParse(metadata.endpoint))
    fail('/metadata/endpoint', 'must be http://host:port, an IPv6 address in brackets');
}
