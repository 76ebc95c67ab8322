/** What may change while the roles are played. Milliseconds. */
export type RoleIntervals = Pick<RoleOptions, 'reportInterval' | 'resyncInterval'>;

/** How the agent roles behave. All times in milliseconds. */
export interface RoleOptions {
  /** What the agents claim to plug with; information only. */
  readonly interfaceDriver: string;
  readonly reportInterval: number;
  /** Neutron's `agent_down_time`. */
  readonly agentDownTime: number;
  readonly resyncInterval: number;
  /** The longest that one answer is awaited. */
  readonly rpcResponseTimeout: number;
  /** How long the first try awaits one: a server that was killed while it worked never answers. It doubles from there. */
  readonly firstTimeout: number;
  /** The longest that what nobody waits for is held back while everything is being listed. */
  readonly choreDelay: number;
  /** How long a new network is not asked for: a router that comes meanwhile serves it, and it needs no instance of its own. */
  readonly newNetworkGrace: number;
  readonly syncPageSize: number;
  readonly leaseDuration: number;
  readonly retry: { readonly base: number; readonly cap: number };
}

export const defaultRoleOptions: RoleOptions = {
  interfaceDriver: 'linuxbridge',
  reportInterval: 30_000,
  agentDownTime: 75_000,
  resyncInterval: 300_000,
  rpcResponseTimeout: 60_000,
  firstTimeout: 10_000,
  choreDelay: 30_000,
  newNetworkGrace: 0,
  syncPageSize: 256,
  leaseDuration: 86_400,
  retry: { base: 500, cap: 5_000 },
};
