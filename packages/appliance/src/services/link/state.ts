import type { RouteTarget } from '@astara/kernel/contract.ts';

/** Interfaces, addresses, routes and kernel switches of an appliance: as they shall be, or as they were found. */
export interface LinkState {
  readonly interfaces: ReadonlyMap<string, InterfaceState>;
  /** By {@link addressKey}, in the order in which they are added: an interface's own before its floating ones. */
  readonly addresses: ReadonlyMap<string, AddressState>;
  /** By destination. */
  readonly routes: ReadonlyMap<string, RouteTarget>;
  /** Below /proc/sys; order matters (ip_forward resets others). */
  readonly sysctls: Readonly<Record<string, string>>;
}

export interface InterfaceState {
  readonly up: boolean;
  /** Absent: whatever it is. */
  readonly mtu?: number;
  readonly mac?: string;
}

export interface AddressState {
  readonly ifname: string;
  /** Canonical address / prefix. */
  readonly cidr: string;
}

export const noLinks: LinkState = Object.freeze({
  interfaces: new Map(),
  addresses: new Map(),
  routes: new Map(),
  sysctls: Object.freeze({}),
});

export function addressKey(ifname: string, cidr: string): string {
  return `${ifname} ${cidr}`;
}
