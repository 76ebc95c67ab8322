import type { Known, PlannedStep, Service } from '../service.ts';
import { type Delta, deltaOf, type InterfaceAddress, inverse } from './delta.ts';
import { desiredLinks } from './desired.ts';
import { buildWork, isEmpty, type KernelWork, removeWork } from './plan.ts';
import { type LinkChange, LinkRunner } from './runner.ts';
import { type LinkState, noLinks } from './state.ts';

export const linkService: Service<LinkState, LinkChange, LinkRunner> = {
  name: 'link',
  reads: [
    'networks',
    'floating_ips',
    'port_forwardings',
    'snat',
    'snat_addresses',
    'static_routes',
    'default_v4_gateway',
    'default_v6_gateway',
    'bgp',
    'ha',
    'metadata',
  ],
  compile: desiredLinks,
  plan: planSteps,
  open: (context) => new LinkRunner(context),
};

/** Built before the firewall switches, taken away after it, and told to the segments at the end. */
function planSteps(found: Known<LinkState>, after: LinkState): readonly PlannedStep<LinkChange>[] {
  const there = deltaOf(found.unknown ? noLinks : found.value, after);
  const back = inverse(there);
  const steps: PlannedStep<LinkChange>[] = [];
  const build = buildWork(there);
  if (!isEmpty(build)) {
    steps.push({
      phase: 'build',
      what: `${sizeOf(build)} additions`,
      change: { kind: 'kernel', ...build },
      // What was replaced comes back before what was added goes.
      undo: { kind: 'kernel', ...joined(buildWork(back), removeWork(back)), lenient: true },
      detail: detail(there, build),
    });
  }
  const remove = removeWork(there);
  if (!isEmpty(remove)) {
    steps.push({
      phase: 'remove',
      what: `${sizeOf(remove)} removals`,
      change: { kind: 'kernel', ...remove, lenient: true },
      undo: { kind: 'kernel', ...buildWork(back), lenient: true },
      detail: detail(there, remove),
    });
  }
  const fresh = there.come.addresses;
  if (fresh.length > 0) {
    const change: LinkChange = { kind: 'announce', addresses: byInterface(fresh) };
    steps.push({ phase: 'serve', what: `${fresh.length} addresses announced`, change, undo: undefined });
  }
  return steps;
}

function joined(first: KernelWork, second: KernelWork): KernelWork {
  return { ...first, operations: [...first.operations, ...second.operations] };
}

function sizeOf({ prepare, operations, sysctls }: KernelWork): number {
  return prepare.length + operations.length + Object.keys(sysctls).length;
}

function byInterface(addresses: readonly InterfaceAddress[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const { ifname, cidr } of addresses) {
    const address = cidr.slice(0, cidr.indexOf('/'));
    const same = found.get(ifname);
    if (same === undefined) found.set(ifname, [address]);
    else same.push(address);
  }
  return found;
}

/** What a dry run or a look for drift shows: also what was there instead. */
function detail({ gone }: Delta, { prepare, sysctls, operations }: KernelWork): () => readonly string[] {
  return () => [
    ...prepare.map(text),
    ...Object.entries(sysctls).map(([key, value]) => {
      const found = gone.sysctls[key];
      return `${key} = ${value}${found === undefined ? '' : ` (was ${found})`}`;
    }),
    ...operations.map(text),
  ];
}

function text({ op, ...rest }: { readonly op: string }): string {
  return [op, ...Object.entries(rest).map(([key, value]) => `${key}=${valueText(value)}`)].join(' ');
}

function valueText(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
