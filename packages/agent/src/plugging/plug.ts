import type { Attachment, PlugKind } from '@astara/model/instance.ts';

/**
 * How an instance's tap devices meet the host's L2. The devices themselves are veth pairs, made the same way for every plug
 * (`converge.ts`); a plug only tells the L2 agent about their host ends. Every implementation passes `conformance.ts`.
 */
export interface Plug {
  readonly kind: PlugKind;

  /** Exactly these ports of the instance are wired afterwards; their taps exist and are up. None: all its wires are gone. */
  wire(instanceId: string, attachments: readonly Attachment[]): Promise<void>;

  /** Removes wires of this agent's instances that are not in `known`: what a killed agent has left. */
  collect(known: ReadonlySet<string>): Promise<void>;
}
