import type { Netns, NetOperation } from '@astara/kernel/contract.ts';
import { errors } from '../errors.ts';
import type { Log } from '../log.ts';
import type { DhcpRunner } from '../services/dhcp/runner.ts';
import type { MetadataProxy } from '../services/metadata/proxy.ts';
import type { RaRunner } from '../services/ra/runner.ts';
import type { Step } from './plan.ts';

/** Those that do the steps. */
export interface Runners {
  readonly netns: Netns;
  readonly dhcp: DhcpRunner;
  readonly ra: RaRunner;
  readonly metadata: MetadataProxy;
  readonly log: Log;
}

export interface DoneStep {
  readonly service: string;
  readonly what: string;
  readonly ms: number;
}

/**
 * Does the steps and then `commit`. When one fails, it and those before it are undone in reverse and the call rejects with
 * APPLIANCE_APPLY_FAILED, or with APPLIANCE_REVERT_FAILED when the world is neither as before nor as wanted.
 */
export async function transact(steps: readonly Step[], runners: Runners, commit: () => void): Promise<DoneStep[]> {
  const done: DoneStep[] = [];
  const begun: Step[] = [];
  let current: { service: string; what: string } = { service: 'appliance', what: 'commit' };
  try {
    for (const step of steps) {
      current = step;
      begun.push(step);
      const start = performance.now();
      await execute(step, runners);
      done.push({ service: step.service, what: step.what, ms: Math.round((performance.now() - start) * 1000) / 1000 });
    }
    current = { service: 'appliance', what: 'commit' };
    commit();
    return done;
  } catch (failure) {
    const params = { step: current.what, service: current.service, cause: message(failure) };
    try {
      // A transaction of nft that failed has changed nothing.
      if (current === begun.at(-1) && current.service === 'firewall') begun.pop();
      for (const step of begun.reverse()) await revert(step, runners);
    } catch (cause) {
      throw errors.make('APPLIANCE_REVERT_FAILED', { ...params, revert: message(cause) }, { cause: failure });
    }
    throw errors.make('APPLIANCE_APPLY_FAILED', params, { cause: failure });
  }
}

async function execute(step: Step, { netns, dhcp, ra, metadata, log }: Runners): Promise<void> {
  switch (step.service) {
    case 'link':
      return change(netns, step.sysctls, step.operations, removes);
    case 'firewall':
      return netns.nft(step.script);
    case 'conntrack': {
      let ended = 0;
      for (const address of step.addresses) ended += await netns.flushConntrack(address);
      log.info({ addresses: step.addresses.length, connections: ended }, 'connections ended');
      return;
    }
    case 'dhcp':
      return dhcp.ensure(step.to, step.from.unknown ? undefined : step.from.value);
    case 'ra':
      return ra.ensure(step.to);
    case 'metadata':
      return metadata.ensure(step.to);
  }
}

async function revert(step: Step, { netns, dhcp, ra, metadata }: Runners): Promise<void> {
  switch (step.service) {
    case 'link':
      return change(netns, step.undo.sysctls, step.undo.operations, () => true);
    case 'firewall':
      return netns.nft(step.undo);
    case 'conntrack':
      return; // a connection that was ended is made again by its ends
    case 'dhcp':
      return step.from.unknown ? undefined : dhcp.ensure(step.from.value, undefined);
    case 'ra':
      return step.from.unknown ? undefined : ra.ensure(step.from.value);
    case 'metadata':
      return step.from.unknown ? undefined : metadata.ensure(step.from.value);
  }
}

function removes(operation: NetOperation): boolean {
  const { op } = operation;
  return op === 'address-delete' || op === 'route-delete' || (op === 'link-set' && operation.up === false);
}

/**
 * Kernel switches first: they say how an interface behaves once it is up. An operation that is `optional` is left out when its
 * interface is not there any more.
 */
async function change(
  netns: Netns,
  sysctls: Readonly<Record<string, string>>,
  operations: readonly NetOperation[],
  optional: (operation: NetOperation) => boolean,
): Promise<void> {
  if (Object.keys(sysctls).length > 0) await netns.sysctl(sysctls);
  if (operations.length === 0) return;
  if (!operations.some(optional)) return netns.change(operations);
  const present = new Set((await netns.links()).map((link) => link.ifname));
  const possible = operations.filter((operation) => {
    return (
      !optional(operation) ||
      !('ifname' in operation) ||
      operation.ifname === undefined ||
      present.has(operation.ifname)
    );
  });
  if (possible.length > 0) await netns.change(possible);
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
