import type { Link } from '@astara/kernel/contract.ts';
import { type Attachment, tapName } from '@astara/model/instance.ts';
import type { Tap } from './tap.ts';

export interface Observed {
  /** All links inside the instance. */
  readonly inside: readonly Link[];
  /** The taps on the host that have the name of a wanted attachment. */
  readonly taps: ReadonlyMap<string, Tap>;
}

export interface PlugPlan {
  /** Links inside the instance; their taps vanish with them. */
  readonly remove: readonly string[];
  readonly add: readonly Attachment[];
  readonly change: readonly Attachment[];
  /** Taps that exist, but lead elsewhere: not ours to remove. */
  readonly taken: readonly Attachment[];
}

/**
 * What to do so that the instance has exactly the wanted attachments. A pair that is right is not touched. Only veths are
 * ours inside an instance: what its services make (tunnels, macvlans) stays.
 */
export function plan(wanted: readonly Attachment[], observed: Observed): PlugPlan {
  const veths = observed.inside.filter((link) => link.kind === 'veth');
  const pairs = new Map<Attachment, { link: Link; tap: Tap }>();
  for (const attachment of wanted) {
    const link = veths.find((candidate) => candidate.ifname === attachment.ifname);
    const tap = observed.taps.get(tapName(attachment.port_id));
    if (link !== undefined && tap?.peer === link.index) pairs.set(attachment, { link, tap });
  }

  const kept = new Set([...pairs.values()].map((pair) => pair.link));
  const removed = veths.filter((link) => !kept.has(link));
  const unplugged = wanted.filter((attachment) => !pairs.has(attachment));
  const isTaken = (attachment: Attachment) => {
    const tap = observed.taps.get(tapName(attachment.port_id));
    return tap !== undefined && !removed.some((link) => link.index === tap.peer);
  };
  return {
    remove: removed.map((link) => link.ifname),
    add: unplugged.filter((attachment) => !isTaken(attachment)),
    taken: unplugged.filter(isTaken),
    change: [...pairs].filter(([attachment, { link, tap }]) => differs(attachment, link, tap)).map(([first]) => first),
  };
}

function differs(attachment: Attachment, link: Link, tap: Tap): boolean {
  return (
    link.mac.toLowerCase() !== attachment.mac_address.toLowerCase() ||
    link.mtu !== attachment.mtu ||
    tap.mtu !== attachment.mtu ||
    !tap.up
  );
}
