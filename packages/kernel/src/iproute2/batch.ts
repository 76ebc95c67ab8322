/** {@link NetOperation}s as lines of `ip -batch`. */
import { type NetOperation, type NextHop, ROUTE_PROTOCOL, type RouteTarget } from '../contract.ts';
import { type Asked, errnoInText, refused } from '../errors.ts';
import { checkOperation, describe } from '../input.ts';
import { isNamespaceFile, NETNS_DIR } from '../netns-dir.ts';
import { run } from './programs.ts';

/** Refusals that mean "absent already"; ENXIO: the interface has no IPv6 at all. */
const ABSENT: Readonly<Partial<Record<NetOperation['op'], readonly string[]>>> = {
  'link-delete': ['ENODEV'],
  'address-delete': ['EADDRNOTAVAIL', 'ENODEV', 'ENXIO'],
  'route-delete': ['ESRCH', 'ENODEV'],
  'proxy-delete': ['ENOENT', 'ENODEV'],
};

/** Applies the operations in order; `where` ends the object's name in errors, e.g. `in astara-1`. */
export async function change(netns: number | null, operations: readonly NetOperation[], where: string): Promise<void> {
  for (const operation of operations) checkOperation(operation);
  for (const part of parts(operations)) await runPart(netns, part, where);
}

/**
 * Deletions may find nothing to delete, so a run of them goes on after a failure (`-force`) and is judged afterwards;
 * everything else stops at the first failure.
 */
function parts(operations: readonly NetOperation[]): NetOperation[][] {
  const found: NetOperation[][] = [];
  for (const operation of operations) {
    const last = found.at(-1);
    const previous = last?.at(-1);
    const joins = previous !== undefined && !isProxy(operation) && !isProxy(previous);
    if (last !== undefined && joins && deletes(previous) === deletes(operation)) last.push(operation);
    else found.push([operation]);
  }
  return found;
}

function deletes(operation: NetOperation): boolean {
  return ABSENT[operation.op] !== undefined;
}

/** At a neighbour that is refused, `ip` ends without a word about the line, and leaves out the rest: each has its own run. */
function isProxy({ op }: NetOperation): boolean {
  return op === 'proxy-add' || op === 'proxy-delete';
}

async function runPart(netns: number | null, operations: readonly NetOperation[], where: string): Promise<void> {
  const [first] = operations;
  if (first === undefined) return;
  const name = (operation: NetOperation): Asked => {
    const asked = describe(operation);
    return { ...asked, object: asked.object + where };
  };
  const lost = operations.findIndex(lacksPeerNetns);
  const sent = lost < 0 ? operations : operations.slice(0, lost);
  const force = deletes(first) ? ['-force'] : [];
  const { code, stderr } = await run(netns, 'ip', [...force, '-batch', '-'], `${sent.map(line).join('\n')}\n`);
  for (const { number, message } of code === 0 ? [] : failures(stderr)) {
    const operation = sent.length === 1 ? sent[0] : sent[number - 1];
    const errno = errnoInText(message);
    if (operation === undefined) {
      throw refused({ operation: 'change', object: `${sent.length} operations${where}` }, errno, message);
    }
    if (!ABSENT[operation.op]?.includes(errno)) throw refused(name(operation), errno, message);
  }
  const unsent = operations[lost];
  if (unsent !== undefined) throw refused(name(unsent), 'ENOENT', 'no such namespace');
}

/** `ip` gives up on a name of a namespace that it does not know without saying which line had it. */
function lacksPeerNetns(operation: NetOperation): boolean {
  if (operation.op !== 'veth-add' || operation.peer.netns === null) return false;
  return !isNamespaceFile(`${NETNS_DIR}/${operation.peer.netns}`);
}

/** `ip` says why, then `Command failed -:<line>`. Without such a line it failed as a whole: number 0. */
function failures(stderr: string): { number: number; message: string }[] {
  const found: { number: number; message: string }[] = [];
  let message: string[] = [];
  for (const text of stderr.split('\n')) {
    const match = /^Command failed -:(\d+)/.exec(text);
    if (match === null) {
      if (text.trim() !== '') message.push(text.trim());
      continue;
    }
    found.push({ number: Number(match[1]), message: message.join(' ') });
    message = [];
  }
  return found.length > 0 ? found : [{ number: 0, message: message.join(' ') }];
}

function line(operation: NetOperation): string {
  switch (operation.op) {
    case 'veth-add': {
      const { name, mtu, peer } = operation;
      const netns = peer.netns === null ? '' : ` netns ${peer.netns}`;
      return `link add ${name} mtu ${mtu} type veth peer name ${peer.name} address ${peer.mac} mtu ${mtu}${netns}`;
    }
    case 'link-set': {
      const { ifname, up, mtu, mac } = operation;
      const words = [`link set dev ${ifname}`];
      if (up !== undefined) words.push(up ? 'up' : 'down');
      if (mtu !== undefined) words.push(`mtu ${mtu}`);
      if (mac !== undefined) words.push(`address ${mac}`);
      return words.join(' ');
    }
    case 'link-delete':
      return `link delete dev ${operation.ifname}`;
    case 'address-add': {
      const nodad = operation.cidr.includes(':') ? ' nodad' : '';
      return `address replace ${operation.cidr} dev ${operation.ifname}${nodad}`;
    }
    case 'address-delete':
      return `address delete ${operation.cidr} dev ${operation.ifname}`;
    case 'route-replace':
      return `route replace ${route(operation)}`;
    case 'route-delete':
      return `route delete ${route({ ...operation, hops: [] })}`;
    case 'proxy-add':
      return `neighbour replace proxy ${operation.address} dev ${operation.ifname}`;
    case 'proxy-delete':
      return `neighbour delete proxy ${operation.address} dev ${operation.ifname}`;
  }
}

function route({ destination, metric, hops = [], ...single }: RouteTarget): string {
  const words = [destination, ...hop(single, destination), 'proto', String(ROUTE_PROTOCOL)];
  if (metric !== undefined) words.push('metric', String(metric));
  for (const next of hops) words.push('nexthop', ...hop(next, destination), 'weight', String(next.weight ?? 1));
  return words.join(' ');
}

function hop({ via, ifname, onlink }: Partial<NextHop>, destination: string): string[] {
  const words: string[] = [];
  if (via !== undefined) words.push('via', ...(via.includes(':') && !destination.includes(':') ? ['inet6'] : []), via);
  if (ifname !== undefined) words.push('dev', ifname);
  if (onlink === true) words.push('onlink');
  return words;
}
