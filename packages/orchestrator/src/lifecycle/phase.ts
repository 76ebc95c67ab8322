/** Where a resource's instance is in its life, for people and for Neutron's status. Decisions rest on what is observed. */
export const Phase = {
  /** It must have an instance and has none that works; one is about to be made. */
  DOWN: 'DOWN',
  /** Its instance is being made. */
  BOOTING: 'BOOTING',
  /** Its instance answers and has no configuration yet. */
  UP: 'UP',
  /** Its configuration is in force; a newer one may be on its way. */
  CONFIGURED: 'CONFIGURED',
  /** Its configuration is in force, but a service that belongs to it does not run. */
  DEGRADED: 'DEGRADED',
  /** Its interfaces are not those it must have and are being changed. */
  REPLUG: 'REPLUG',
  /** An operator asked for a new instance; the old one is being destroyed. */
  RESTART: 'RESTART',
  /** Too many instances in a row failed before they were configured; waits for its cool-down. */
  ERROR: 'ERROR',
  /** It must have no instance; what is left is being destroyed. */
  GONE: 'GONE',
} as const;
export type Phase = (typeof Phase)[keyof typeof Phase];
