import { type Invalid, type Validated, validator } from '../validate.ts';
import { ApplianceConfig } from './config.ts';
import { checkDns } from './rules/dns.ts';
import type { Fail } from './rules/fail.ts';
import { checkFirewall } from './rules/firewall.ts';
import { checkHa } from './rules/ha.ts';
import { checkIdentity } from './rules/identity.ts';
import { checkMetadata } from './rules/metadata.ts';
import { checkNat } from './rules/nat.ts';
import { checkNetworks } from './rules/networks.ts';
import { checkWays } from './rules/routes.ts';
import { checkRouting } from './rules/routing.ts';
import { checkVpn } from './rules/vpn.ts';

const structure = validator(ApplianceConfig);

const rules: readonly ((config: ApplianceConfig, fail: Fail) => void)[] = [
  checkNetworks,
  checkNat,
  checkWays,
  checkDns,
  checkFirewall,
  checkRouting,
  checkHa,
  checkVpn,
  checkIdentity,
  checkMetadata,
];

/** The whole check of a configuration: its structure, and then what a schema cannot say. Every offending field is named. */
export function validateConfig(input: unknown): Validated<ApplianceConfig> {
  const checked = structure(input);
  if (!checked.ok) return checked;
  const errors = configErrors(checked.value);
  return errors.length === 0 ? checked : { ok: false, errors };
}

/** What is wrong with a configuration whose structure is right. Empty: it can be applied. */
export function configErrors(config: ApplianceConfig): Invalid[] {
  const errors: Invalid[] = [];
  for (const check of rules) check(config, (field, message) => errors.push({ field, message }));
  return errors;
}
