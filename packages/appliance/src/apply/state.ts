import { createHash } from 'node:crypto';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { desiredDhcp } from '../services/dhcp/desired.ts';
import { type DhcpState, dhcpState } from '../services/dhcp/runner.ts';
import { desiredFirewall } from '../services/firewall/desired.ts';
import type { FirewallState } from '../services/firewall/state.ts';
import { desiredLinks } from '../services/link/desired.ts';
import type { LinkState } from '../services/link/state.ts';
import { desiredMetadata, type MetadataState } from '../services/metadata/state.ts';
import { desiredRa } from '../services/ra/desired.ts';
import { renderRa } from '../services/ra/render.ts';
import type { RaState } from '../services/ra/runner.ts';

/** Everything that an appliance is, service by service: compiled from a configuration, or found in the world. */
export interface State {
  readonly links: LinkState;
  readonly firewall: FirewallState;
  readonly dhcp: Known<DhcpState | undefined>;
  readonly ra: Known<RaState>;
  readonly metadata: Known<MetadataState | undefined>;
  /** What the last three were compiled from; absent when they were found. */
  readonly fingerprint?: string;
}

/** `unknown`: whatever runs was started by somebody else and is to be compared with its files. */
export type Known<T> = { readonly unknown: true } | { readonly unknown: false; readonly value: T };

export const unknown = Object.freeze({ unknown: true } as const);

export function known<T>(value: T): Known<T> {
  return Object.freeze({ unknown: false, value });
}

/**
 * Pure. Throws APPLIANCE_VALUE_REFUSED when a value cannot be expressed; what a tenant got wrong goes to `warnings`. Services
 * whose part of the configuration is that of `former` are taken from there: most changes are floating IPs, most of the
 * configuration are ports.
 */
export function compile(config: ApplianceConfig, runDirInside: string, warnings: string[], former?: State): State {
  const { networks, metadata, dns_forwarders, dhcp_lease_duration, tenant_id } = config;
  const part = [networks, metadata, dns_forwarders, dhcp_lease_duration, tenant_id, runDirInside];
  const fingerprint = createHash('sha256').update(JSON.stringify(part)).digest('hex');
  const outer = { links: desiredLinks(config, warnings), firewall: desiredFirewall(config), fingerprint };
  if (former !== undefined && former.fingerprint === fingerprint) {
    return Object.freeze({ ...outer, dhcp: former.dhcp, ra: former.ra, metadata: former.metadata });
  }
  const advertised = desiredRa(config);
  return Object.freeze({
    ...outer,
    dhcp: known(dhcpState(desiredDhcp(config), runDirInside)),
    ra: known(advertised.length === 0 ? undefined : renderRa(advertised)),
    metadata: known(desiredMetadata(config)),
  });
}
