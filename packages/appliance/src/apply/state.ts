import type { ApplianceConfig } from '@astara/model/appliance-config.ts';
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
}

/** `unknown`: whatever runs was started by somebody else and is to be compared with its files. */
export type Known<T> = { readonly unknown: true } | { readonly unknown: false; readonly value: T };

export const unknown = Object.freeze({ unknown: true } as const);

export function known<T>(value: T): Known<T> {
  return Object.freeze({ unknown: false, value });
}

/** Pure. Throws APPLIANCE_VALUE_REFUSED when a value cannot be expressed; what a tenant got wrong goes to `warnings`. */
export function compile(config: ApplianceConfig, runDirInside: string, warnings: string[]): State {
  const advertised = desiredRa(config);
  return Object.freeze({
    links: desiredLinks(config, warnings),
    firewall: desiredFirewall(config),
    dhcp: known(dhcpState(desiredDhcp(config), runDirInside)),
    ra: known(advertised.length === 0 ? undefined : renderRa(advertised)),
    metadata: known(desiredMetadata(config)),
  });
}
