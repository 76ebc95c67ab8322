import type { IdentityNode } from './nodes.ts';

/** A path, as it is or shall be. `mode` is that of a file that is made. */
export type FileState =
  | { readonly kind: 'absent' }
  | { readonly kind: 'file'; readonly text: string; readonly mode: number }
  | { readonly kind: 'link'; readonly target: string };

/** The kernel's own name of the machine: written in place. */
export const KERNEL_HOSTNAME = '/proc/sys/kernel/hostname';
export const ZONES = '/usr/share/zoneinfo';

/** Path → what is there: hostname(5), localtime(5), resolv.conf(5), and root's authorized_keys of sshd(8). */
export function renderIdentity(node: IdentityNode): ReadonlyMap<string, FileState> {
  const files = new Map<string, FileState>();
  const file = (path: string, lines: readonly string[], mode = 0o644) => {
    files.set(path, { kind: 'file', text: lines.map((line) => `${line}\n`).join(''), mode });
  };
  file('/etc/hostname', [node.hostname]);
  file(KERNEL_HOSTNAME, [node.hostname]);
  if (node.timeZone !== undefined) {
    files.set('/etc/localtime', { kind: 'link', target: `${ZONES}/${node.timeZone}` });
    file('/etc/timezone', [node.timeZone]);
  }
  if (node.authorizedKeys !== undefined) file('/root/.ssh/authorized_keys', node.authorizedKeys, 0o600);
  if (node.resolver !== undefined) {
    const { nameservers, searchDomains } = node.resolver;
    const search = searchDomains.length === 0 ? [] : [`search ${searchDomains.join(' ')}`];
    file('/etc/resolv.conf', [...search, ...nameservers.map((address) => `nameserver ${address}`)]);
  }
  return files;
}
