import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { InstanceSpec, ResourceKey, ResourceKind } from '@astara/model/instance.ts';

/**
 * *What* a kind of resource needs: which ports, which appliance configuration. A driver reads the mirror and nothing else;
 * it never waits. *Where* the instance runs is the provider's business.
 */
export interface Driver {
  readonly kind: ResourceKind;

  /** The resources of this kind that must have an instance now. `undefined` until the mirror has been filled once. */
  resources(): readonly ResourceKey[] | undefined;

  /**
   * What the resource must look like now.
   * - `absent`: it must have no instance (deleted, set down, not scheduled to this host, served by another resource's instance);
   * - `unknown`: not known yet (the mirror has not been filled, a port is still being made), so nothing may be decided:
   *   what runs is left as it is. The key is enqueued again as soon as it is known.
   */
  desired(id: string): Desired | 'absent' | 'unknown';

  /**
   * `desired` is in force on the data plane, just now or already before: called whenever a resource has settled, also when
   * nothing had to be pushed (what is reported to Neutron after a restart hangs on that). Gets the object that `desired()`
   * gave, or a spread copy of it. Must not wait: reports to Neutron are queued and batched behind this.
   */
  onApplied(id: string, desired: Desired): void;
  /** The resource has no instance any more. */
  onRemoved(id: string): void;
}

export interface Desired {
  readonly instanceId: string;
  readonly spec: InstanceSpec;
  /** Without a generation: the reconciler numbers what it pushes. */
  readonly config: ApplianceConfig;
  /** When the earliest change that is not applied yet was committed in Neutron: milliseconds since the epoch. */
  readonly since?: number;
}
