import type { Kernel, Netns } from '../contract.ts';
import { errnoInText, refused } from '../errors.ts';
import { checkNetnsName } from '../input.ts';
import {
  isNamespaceFile,
  listNetnsFiles,
  NETNS_DIR,
  NEW_NETNS_SYSCTL,
  openNetnsFile,
  removeNetnsFile,
} from '../netns-dir.ts';
import { IprouteNetns } from './netns.ts';
import { findProgram, PROGRAMS, run } from './programs.ts';

/** Throws KERNEL_PROGRAM_MISSING when a program is not installed. */
export function openIprouteKernel(): Kernel {
  for (const program of PROGRAMS) findProgram(program);
  return new IprouteKernel();
}

class IprouteKernel implements Kernel {
  readonly name = 'iproute2';

  async createNetns(name: string): Promise<void> {
    checkNetnsName(name);
    const asked = { operation: 'netns-create', object: name };
    const path = `${NETNS_DIR}/${name}`;
    if (isNamespaceFile(path)) return;
    removeNetnsFile(name);
    const { code, stderr } = await run(null, 'ip', ['netns', 'add', name]);
    if (code !== 0) {
      // Somebody else was faster.
      if (errnoInText(stderr) === 'EEXIST') return;
      throw refused(asked, errnoInText(stderr), stderr.trim());
    }
    const netns = await this.open(name);
    try {
      await netns.sysctl(NEW_NETNS_SYSCTL);
      await netns.change([{ op: 'link-set', ifname: 'lo', up: true }]);
    } finally {
      netns.close();
    }
  }

  async deleteNetns(name: string): Promise<void> {
    checkNetnsName(name);
    const path = `${NETNS_DIR}/${name}`;
    if (!isNamespaceFile(path)) return removeNetnsFile(name);
    const { code, stderr } = await run(null, 'ip', ['netns', 'delete', name]);
    if (code === 0) return;
    const errno = errnoInText(stderr);
    if (errno !== 'ENOENT') throw refused({ operation: 'netns-delete', object: name }, errno, stderr.trim());
  }

  async listNetns(): Promise<string[]> {
    return listNetnsFiles();
  }

  async open(netns: string | null): Promise<Netns> {
    if (netns === null) return new IprouteNetns(null, null);
    checkNetnsName(netns);
    return new IprouteNetns(netns, openNetnsFile(netns));
  }
}
