/**
 * Who wants a resource looked at, the most urgent first. neutron-l3-agent has three of these: RPC, related router, resync.
 * Lower runs first.
 */
export const Priority = {
  /** A tenant or an operator changed the resource itself and waits for it. The only one that ends a back-off. */
  user: 0,
  /** Something it depends on changed: a port of its network, a subnet, another router. */
  related: 1,
  /** Its instance was seen to differ from what was known of it. */
  health: 2,
  /** Nothing in particular: the start, a reconnection, the timer. */
  resync: 3,
} as const;
export type Priority = (typeof Priority)[keyof typeof Priority];

export type PriorityName = keyof typeof Priority;

/** By value: `priorityNames[Priority.health]` is `'health'`. Also the label values of the queue's metrics. */
export const priorityNames = ['user', 'related', 'health', 'resync'] as const satisfies readonly PriorityName[];
