import type { ApplianceConfig } from '../config.ts';
import type { Fail } from './fail.ts';

export function checkRouting(_config: ApplianceConfig, _fail: Fail): void {}
