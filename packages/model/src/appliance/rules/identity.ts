import type { ApplianceConfig } from '../config.ts';
import type { Fail } from './fail.ts';

export function checkIdentity(_config: ApplianceConfig, _fail: Fail): void {}
