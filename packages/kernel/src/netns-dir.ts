/** The names of network namespaces, as iproute2 keeps them: files on which the namespaces are mounted. */
import { openSync, readdirSync, statfsSync, unlinkSync } from 'node:fs';
import { fromSystem } from './errors.ts';

export const NETNS_DIR = '/run/netns';

/**
 * Set in every namespace we make. Without it, deleting an IPv4 address also deletes the other addresses of its subnet
 * that came after it.
 */
export const NEW_NETNS_SYSCTL: Readonly<Record<string, string>> = { 'net/ipv4/conf/all/promote_secondaries': '1' };

const NSFS_MAGIC = 0x6e736673;

/** Whether a namespace is mounted there; a plain file is what remains of a creation that did not end. */
export function isNamespaceFile(path: string): boolean {
  try {
    return statfsSync(path).type === NSFS_MAGIC;
  } catch (error) {
    const failure = fromSystem({ operation: 'netns', object: path }, error);
    if (failure.errno === 'ENOENT') return false;
    throw failure;
  }
}

export function listNetnsFiles(): string[] {
  try {
    return readdirSync(NETNS_DIR).filter((name) => isNamespaceFile(`${NETNS_DIR}/${name}`));
  } catch (error) {
    const failure = fromSystem({ operation: 'netns-list', object: NETNS_DIR }, error);
    if (failure.errno === 'ENOENT') return [];
    throw failure;
  }
}

/** A descriptor of the namespace `name`, or of our own (`null`). The caller closes it. */
export function openNetnsFile(name: string | null): number {
  try {
    return openSync(name === null ? '/proc/thread-self/ns/net' : `${NETNS_DIR}/${name}`, 'r');
  } catch (error) {
    throw fromSystem({ operation: 'netns-open', object: name ?? 'own namespace' }, error);
  }
}

/** Removes the file on which nothing is mounted any more. Nothing happens if it is absent. */
export function removeNetnsFile(name: string): void {
  try {
    unlinkSync(`${NETNS_DIR}/${name}`);
  } catch (error) {
    const failure = fromSystem({ operation: 'netns-delete', object: name }, error);
    if (failure.errno !== 'ENOENT') throw failure;
  }
}
