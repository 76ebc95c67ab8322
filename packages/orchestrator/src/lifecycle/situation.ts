import { canonicalJson } from '@astara/model/digest.ts';
import type { Attachment, InstanceView, ServiceStatus } from '@astara/model/instance.ts';
import type { Desired } from '../drivers/driver.ts';

/** Everything a decision rests on. Each fact has few values, so that all situations can be tried. */
export const facts = {
  /** What the driver says: nothing yet, that there must be no instance, or what it must be. */
  wanted: ['unknown', 'absent', 'present'],
  /** The instance, as the provider saw it last; `unknown` before it was asked. When none is wanted: any of the resource's. */
  instance: ['unknown', 'none', 'dead', 'running'],
  /** Instances of the resource beside the one that is wanted. */
  surplus: ['none', 'some'],
  /** Its interfaces, against those wanted. */
  ports: ['same', 'differ'],
  /** What its appliance has in force, against what is wanted. */
  config: ['none', 'differs', 'same'],
  /** Whether every service that its configuration needs runs. */
  services: ['running', 'down'],
  /** Whether an instance may be made: not after too many in a row that were never configured. */
  boots: ['left', 'exhausted'],
  /** The time after the last of these. */
  cooldown: ['over', 'running'],
  /** Why we look: somebody changed something, the timer, or a health check or retry. */
  cause: ['update', 'resync', 'poll'],
  /** An operator asked for a new instance. */
  rebuild: ['no', 'asked'],
  /** Open: so many instances are dead at once that the fault is likely elsewhere. */
  breaker: ['closed', 'open'],
} as const;

export type Fact = keyof typeof facts;
export type Situation = { readonly [Name in Fact]: (typeof facts)[Name][number] };

export interface Circumstances {
  readonly desired: Desired | 'absent' | 'unknown';
  /** `configEtag` of the desired configuration. */
  readonly etag: string | undefined;
  /** The resource's instances; undefined before the provider has been asked. */
  readonly views: readonly InstanceView[] | undefined;
  /** Instances made since one was configured last. */
  readonly boots: number;
  readonly maxBoots: number;
  readonly cooldown: Situation['cooldown'];
  readonly cause: Situation['cause'];
  readonly rebuild: boolean;
  readonly breakerOpen: boolean;
}

export function situate(from: Circumstances): Situation {
  const { desired, views } = from;
  const wanted = typeof desired === 'string' ? desired : 'present';
  const present = typeof desired === 'string' ? undefined : desired;
  const view = present === undefined ? views?.[0] : views?.find(({ id }) => id === present.instanceId);
  return {
    wanted,
    instance: views === undefined ? 'unknown' : (view?.state ?? 'none'),
    surplus: present !== undefined && views?.some(({ id }) => id !== present.instanceId) === true ? 'some' : 'none',
    ports:
      view !== undefined && present !== undefined && !sameAttachments(view.attachments, present.spec.attachments)
        ? 'differ'
        : 'same',
    config: view?.applied ? (view.applied.etag === from.etag ? 'same' : 'differs') : 'none',
    services: view !== undefined && !servicesRun(view.services) ? 'down' : 'running',
    boots: from.boots < from.maxBoots ? 'left' : 'exhausted',
    cooldown: from.cooldown,
    cause: from.cause,
    rebuild: from.rebuild ? 'asked' : 'no',
    breaker: from.breakerOpen ? 'open' : 'closed',
  };
}

/** Order does not matter. */
export function sameAttachments(a: readonly Attachment[], b: readonly Attachment[]): boolean {
  if (a.length !== b.length) return false;
  const texts = new Set(a.map(attachmentText));
  return b.every((attachment) => texts.has(attachmentText(attachment)));
}

function attachmentText(attachment: Attachment): string {
  return canonicalJson({ ...attachment, mac_address: attachment.mac_address.toLowerCase() });
}

export function servicesRun(services: readonly ServiceStatus[]): boolean {
  return services.every(({ wanted, running }) => running || !wanted);
}
