import { writeFileSync } from 'node:fs';
import type { Kernel, Netns } from '../contract.ts';
import { checkNetnsName } from '../input.ts';
import { listNetnsFiles, NEW_NETNS_SYSCTL, openNetnsFile } from '../netns-dir.ts';
import { loadLibraries } from './libc.ts';
import { LowDescriptors } from './low-descriptors.ts';
import { Namespaces, OwnNamespace } from './namespace.ts';
import { NetlinkNetns, type Parts } from './netns.ts';
import { bringLoopbackUp } from './rtnetlink-change.ts';
import { NETLINK_ROUTE, NetlinkSocket } from './socket.ts';

/** Rejects with KERNEL_LIBRARY_MISSING when koffi or libnftables cannot be loaded. */
export async function openNetlinkKernel(): Promise<Kernel> {
  const libraries = await loadLibraries();
  return new NetlinkKernel({
    ...libraries,
    lowDescriptors: new LowDescriptors(),
    namespaces: new Namespaces(libraries.libc),
  });
}

class NetlinkKernel implements Kernel {
  readonly name = 'netlink';
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async createNetns(name: string): Promise<void> {
    checkNetnsName(name);
    const { libc, namespaces } = this.#parts;
    const asked = { operation: 'netns-create', object: name };
    namespaces.create(name, () => {
      for (const [key, value] of Object.entries(NEW_NETNS_SYSCTL)) writeFileSync(`/proc/sys/${key}`, value);
      const socket = new NetlinkSocket(libc, NETLINK_ROUTE, asked);
      bringLoopbackUp(socket, asked);
      socket.closeNow();
    });
  }

  async deleteNetns(name: string): Promise<void> {
    checkNetnsName(name);
    this.#parts.namespaces.remove(name);
  }

  async listNetns(): Promise<string[]> {
    return listNetnsFiles();
  }

  async open(netns: string | null): Promise<Netns> {
    if (netns !== null) checkNetnsName(netns);
    const namespaces = netns === null ? new OwnNamespace(this.#parts.libc) : this.#parts.namespaces;
    return new NetlinkNetns({ ...this.#parts, namespaces }, netns, openNetnsFile(netns));
  }
}
