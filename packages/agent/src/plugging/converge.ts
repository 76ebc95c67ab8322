import type { Netns } from '@astara/kernel/contract.ts';
import { type Attachment, netnsName, type PlugKind, tapName } from '@astara/model/instance.ts';
import { errors } from '../errors.ts';
import { type PlugPlan, plan } from './plan.ts';
import type { Plug } from './plug.ts';
import { readTap } from './tap.ts';

export interface ConvergeOptions {
  readonly instanceId: string;
  readonly inside: Netns;
  readonly host: Netns;
  readonly plugs: Readonly<Record<PlugKind, Plug>>;
  readonly wanted: readonly Attachment[];
  /** Kinds of plug that the instance had before: their wires may have to go. */
  readonly formerKinds: ReadonlySet<PlugKind>;
}

/**
 * The instance has exactly the wanted attachments afterwards; those that are right already lose no packet. The end inside is
 * left down: the appliance sets it up, once its firewall is in force. Resolves with what was done.
 */
export async function converge(options: ConvergeOptions): Promise<PlugPlan> {
  const { instanceId, inside, host, wanted } = options;
  const names = wanted.map((attachment) => tapName(attachment.port_id));
  const taps = names.flatMap((name) => {
    const tap = readTap(name);
    return tap === undefined ? [] : [[name, tap] as const];
  });
  const steps = plan(wanted, { inside: await inside.links(), taps: new Map(taps) });

  if (steps.remove.length > 0) {
    await inside.change(steps.remove.map((ifname) => ({ op: 'link-delete', ifname }) as const));
  }
  const onHost = hostOperations(steps, netnsName(instanceId));
  if (onHost.length > 0) await host.change(onHost);
  if (steps.change.length > 0) {
    await inside.change(
      steps.change.map(
        ({ ifname, mtu, mac_address }) => ({ op: 'link-set', ifname, mtu, mac: mac_address.toLowerCase() }) as const,
      ),
    );
  }

  for (const plug of Object.values(options.plugs)) {
    const mine = wanted.filter((attachment) => attachment.plug === plug.kind && !steps.taken.includes(attachment));
    if (mine.length > 0 || options.formerKinds.has(plug.kind)) await plug.wire(instanceId, mine);
  }
  // Last, so that one port which is held elsewhere does not keep the others unplugged.
  const [taken] = steps.taken;
  if (taken !== undefined) {
    throw errors.make('AGENT_TAP_TAKEN', { tap: tapName(taken.port_id), port: taken.port_id, id: instanceId });
  }
  return steps;
}

function hostOperations(steps: PlugPlan, netns: string) {
  const added = steps.add.flatMap((attachment) => {
    const name = tapName(attachment.port_id);
    const peer = { name: attachment.ifname, netns, mac: attachment.mac_address.toLowerCase() };
    return [
      { op: 'veth-add', name, mtu: attachment.mtu, peer } as const,
      { op: 'link-set', ifname: name, up: true } as const,
    ];
  });
  const changed = steps.change.map(
    ({ port_id, mtu }) => ({ op: 'link-set', ifname: tapName(port_id), mtu, up: true }) as const,
  );
  return [...added, ...changed];
}

/** Wires of an instance that goes: nothing of it is left in the L2 agent's view. Its devices go with its namespace. */
export async function unwire(
  instanceId: string,
  plugs: Readonly<Record<PlugKind, Plug>>,
  formerKinds: ReadonlySet<PlugKind>,
): Promise<void> {
  for (const kind of formerKinds) await plugs[kind].wire(instanceId, []);
}
