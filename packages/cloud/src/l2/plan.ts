import type { Link } from '@astara/kernel/contract.ts';

/** A device that belongs into a bridge. */
export interface Wire {
  readonly ifname: string;
  readonly bridge: string;
  readonly mtu: number;
  readonly up: boolean;
}

export interface Wanted {
  /** MTU of each bridge, by name. */
  readonly bridges: ReadonlyMap<string, number>;
  readonly wires: readonly Wire[];
}

export type Step =
  | { readonly do: 'add-bridge'; readonly bridge: string; readonly mtu: number }
  | { readonly do: 'set-bridge'; readonly bridge: string; readonly mtu: number }
  | { readonly do: 'delete'; readonly ifname: string }
  | ({ readonly do: 'wire' } & Wire);

export interface Plan {
  readonly steps: readonly Step[];
  /** Names of the devices that are up in their bridges already. */
  readonly wired: ReadonlySet<string>;
}

/**
 * What makes the kernel's links what they should be. Devices that nobody has made yet are no one's fault: they are not planned, and
 * not wired. `owned` are the devices that we made, which go when they are not wanted any more; all others stay.
 */
export function plan(wanted: Wanted, links: readonly Link[], owned: ReadonlySet<string>): Plan {
  const seen = new Map(links.map((link) => [link.ifname, link]));
  const kept = new Set([...wanted.bridges.keys(), ...wanted.wires.map(({ ifname }) => ifname)]);
  const steps: Step[] = [];
  for (const ifname of owned) if (seen.has(ifname) && !kept.has(ifname)) steps.push({ do: 'delete', ifname });
  for (const [bridge, mtu] of wanted.bridges) {
    const link = seen.get(bridge);
    if (link === undefined) steps.push({ do: 'add-bridge', bridge, mtu });
    else if (link.mtu !== mtu || !link.up) steps.push({ do: 'set-bridge', bridge, mtu });
  }
  const wired = new Set<string>();
  for (const wire of wanted.wires) {
    const link = seen.get(wire.ifname);
    if (link === undefined) continue;
    const bridge = seen.get(wire.bridge);
    const placed = bridge !== undefined && link.master === bridge.index && link.mtu === wire.mtu;
    if (!placed || link.up !== wire.up) steps.push({ do: 'wire', ...wire });
    else if (wire.up && bridge.up) wired.add(wire.ifname);
  }
  return { steps, wired };
}

/** For `ip -batch`. A new bridge stays down until the next look: IPv6 is taken off it before. */
export function lines(step: Step, tag: string): string[] {
  switch (step.do) {
    case 'add-bridge':
      return [
        `link add name ${step.bridge} mtu ${step.mtu} type bridge stp_state 0 forward_delay 0`,
        `link set dev ${step.bridge} alias ${tag}`,
      ];
    case 'set-bridge':
      return [`link set dev ${step.bridge} mtu ${step.mtu} up`];
    case 'delete':
      return [`link delete dev ${step.ifname}`];
    case 'wire':
      return [`link set dev ${step.ifname} master ${step.bridge} mtu ${step.mtu} ${step.up ? 'up' : 'down'}`];
  }
}
