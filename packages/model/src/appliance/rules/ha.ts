import type { ApplianceConfig } from '../config.ts';
import type { Fail } from './fail.ts';

export function checkHa(_config: ApplianceConfig, _fail: Fail): void {}
